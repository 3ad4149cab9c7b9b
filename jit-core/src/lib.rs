//! Columba.
