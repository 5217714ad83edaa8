//! The way of the program's own events into the index.
