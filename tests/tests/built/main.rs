//! What is built of the sources: machine code, libraries, layers.

mod assembly;
mod layers;
mod linking;
mod rows;
