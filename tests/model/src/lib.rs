//! Nothing but its test: the model is a package of its own to be optimised
//! where the other tests are not.
