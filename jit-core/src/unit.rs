//! What a backend is given to compile, and what it gives back.
//!
//! *Invariants*: a unit's function is lowered (primitive operations only; `Obj` counts as `Ptr`) and verified; every symbol
//! it names can be resolved through `resolve`, so a backend embeds addresses without knowing what they are.

use crate::helpers::Helper;
use crate::ir::function::Function;
use crate::ir::op::Symbol;

/// Addresses of the running interpreter, as data.
pub trait Resolver {
    /// The address of a symbol.
    fn symbol(&self, symbol: Symbol) -> u64;
    /// The entry address of a helper (C calling convention).
    fn helper(&self, helper: Helper) -> u64;
}

/// One function to compile.
pub struct CompileUnit<'a> {
    pub function: &'a Function,
    pub resolver: &'a dyn Resolver,
    /// Name for profilers and debuggers.
    pub symbol_name: &'a str,
}
