//! What is built of the sources: machine code, libraries, layers.

mod assembly;
mod foreign;
mod layers;
mod linking;
mod rows;
