//! What becomes of evaluations on their way through the store and the outbox to receivers that misbehave.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod failures;
mod handle;
mod kit;
mod order;
mod own_words;
mod storage;
