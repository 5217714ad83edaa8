//! The loader as its neighbours see it: fakes below, virtual time throughout.

mod bed;
mod book;
mod fake;
mod polling;
mod rounds;
