//! A person at a terminal: prompts, keys, sizes and job control, as without a sandbox.

mod jobs;
mod keys;
mod screen;
mod size;
