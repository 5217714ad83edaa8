//! The parts in their order.
