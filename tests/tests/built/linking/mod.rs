//! Programs and libraries as they are built and loaded out there.

mod backends;
mod builds;
mod checkpoints;
mod dylib;
mod image;
mod images;
mod package;
mod regions;
