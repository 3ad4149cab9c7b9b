//! Which arguments of an inlined call, or defaults, are which parameters of its callee.
//!
//! *Problem*: starred parameters take a tuple and a dictionary that CPython makes for each call, and most bodies hardly look at
//! them. *Method*: arguments are put in their places when the caller is compiled. Surplus ones are a tuple that is not built
//! ([`Item::Tuple`]); the dictionary of a call without surplus keywords is known to be empty and is not made
//! ([`Item::NoKeywords`]). A path that needs the dictionary itself makes the call. *Invariants*: a default is used behind a
//! guard of what it was found in: the tuple, whose items never change, or the version of the dictionary of keyword-only ones,
//! which changes with it.

use super::builder::Builder;
use super::inlining::Callee;
use super::state::*;
use crate::bytecode::code::{Constant, flags};
use crate::exit::Reason;
use crate::ir::op::{Cond, Value};
use crate::ir::types::{MemTy, Ty};

/// A tuple of defaults that are constants.
#[derive(Debug)]
pub struct Defaults {
    pub address: u64,
    /// Each with its address.
    pub items: Vec<(Constant, u64)>,
}

/// A dictionary of defaults that are constants.
#[derive(Debug)]
pub struct KeywordDefaults {
    /// A number that no other dictionary has, nor this one with other contents.
    pub version: u64,
    /// By the names of parameters, each with its address.
    pub items: Vec<(String, Constant, u64)>,
}

/// Where the value of a parameter comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Argument {
    Given(usize),
    Default(usize),
    KeywordDefault(usize),
    /// Those that are given in these places, as a tuple.
    Surplus(usize, usize),
    NoKeywords,
}

/// Which defaults a call needs.
#[derive(Clone, Copy, Default)]
pub(super) struct Needed {
    defaults: bool,
    keyword_defaults: bool,
}

/// The parameters of a call.
pub(super) struct Arranged {
    pub operands: Vec<Item>,
    pub needed: Needed,
}

impl Callee {
    fn takes(&self, flag: u32) -> usize {
        usize::from(self.code.flags & flag != 0)
    }

    /// How many locals are filled by a call.
    pub(super) fn parameters(&self) -> usize {
        let named = (self.code.argcount + self.code.kwonly_argcount) as usize;
        named + self.takes(flags::VARARGS) + self.takes(flags::VARKEYWORDS)
    }

    /// Whether some parameters are starred or keyword-only.
    pub(super) fn is_starred(&self) -> bool {
        self.parameters() != self.code.argcount as usize
    }

    /// Which of `positional` arguments, of those that follow them under these names, or of the defaults each parameter is.
    /// `None`: the call is none that can be arranged here.
    fn arrange(&self, positional: usize, names: &[Constant]) -> Option<Vec<Argument>> {
        let wanted = self.code.argcount as usize;
        let named = wanted + self.code.kwonly_argcount as usize;
        let placed = positional.min(wanted);
        if positional > wanted && self.takes(flags::VARARGS) == 0 {
            return None;
        }
        let mut arranged: Vec<_> = (0..placed).map(|i| Some(Argument::Given(i))).collect();
        arranged.resize(named, None);
        let first = self.code.posonly_argcount as usize;
        let parameters = self.code.locals_plus_names.get(..named)?;
        for (i, name) in names.iter().enumerate() {
            let Constant::Str(name) = name else { return None };
            let index = first + parameters.get(first..)?.iter().position(|parameter| parameter == name)?;
            if arranged[index].replace(Argument::Given(positional + i)).is_some() {
                return None;
            }
        }
        let defaults = self.defaults.as_ref().map_or(0, |defaults| defaults.items.len());
        let required = wanted.checked_sub(defaults);
        let keyword_default = |parameter: &String| {
            let items = &self.keyword_defaults.as_ref()?.items;
            Some(Argument::KeywordDefault(items.iter().position(|(name, ..)| name == parameter)?))
        };
        let default = |i: usize| {
            if i < wanted {
                Some(Argument::Default(i.checked_sub(required?)?))
            } else {
                keyword_default(&parameters[i])
            }
        };
        let named = (0..).zip(arranged).map(|(i, argument)| argument.or_else(|| default(i)));
        let surplus = (self.takes(flags::VARARGS) != 0).then_some(Some(Argument::Surplus(placed, positional)));
        let keywords = (self.takes(flags::VARKEYWORDS) != 0).then_some(Some(Argument::NoKeywords));
        named.chain(surplus).chain(keywords).collect()
    }
}

impl Builder<'_> {
    /// A callee's parameters, of the arguments from a stack position on, the last of which have names, and of its defaults.
    pub(super) fn arranged_operands(
        &mut self,
        callee: &Callee,
        first: usize,
        kwnames: Option<u32>,
    ) -> Option<Arranged> {
        let names = match kwnames.map(|constant| self.constant(constant)) {
            None => &[],
            Some(Constant::Tuple(names)) => names.as_slice(),
            Some(_) => return None,
        };
        let names = names.to_vec();
        let given = self.operands_of_body(first)?;
        self.arranged_items(callee, &given, &names)
    }

    /// The same of these arguments.
    pub(super) fn arranged_items(&mut self, callee: &Callee, given: &[Item], names: &[Constant]) -> Option<Arranged> {
        let arranged = callee.arrange(given.len().checked_sub(names.len())?, names)?;
        let mut needed = Needed::default();
        let mut operands = Vec::with_capacity(arranged.len());
        for argument in arranged {
            operands.push(match argument {
                Argument::Given(i) => given[i],
                Argument::Default(i) => {
                    needed.defaults = true;
                    let (constant, address) = callee.defaults.as_ref()?.items[i].clone();
                    self.foreign_constant(constant, address)
                }
                Argument::KeywordDefault(i) => {
                    needed.keyword_defaults = true;
                    let (_, constant, address) = callee.keyword_defaults.as_ref()?.items[i].clone();
                    self.foreign_constant(constant, address)
                }
                Argument::Surplus(from, to) => self.tuple_of(given[from..to].to_vec()),
                Argument::NoKeywords => Item::NoKeywords,
            });
        }
        Some(Arranged { operands, needed })
    }

    /// Guards that a function has the defaults that were found with the callee, as far as they are needed.
    pub(super) fn guard_defaults(&mut self, function: Value, callee: &Callee, needed: Needed) {
        let layout = self.request.layout;
        if callee.is_starred() {
            self.count("inline_starred");
        }
        if let Some(tuple) = callee.defaults.as_ref().filter(|_| needed.defaults) {
            let found = self.load(MemTy::Ptr, Ty::Ptr, function, layout.function_defaults);
            let expected = self.plain_address(tuple.address);
            let same = self.compare(Cond::Eq, found, expected);
            self.guard(same, Reason::Version);
        }
        if let Some(dictionary) = callee.keyword_defaults.as_ref().filter(|_| needed.keyword_defaults) {
            let found = self.load(MemTy::Ptr, Ty::Ptr, function, layout.function_keyword_defaults);
            self.guard_there(found, Ty::Ptr);
            let version = self.load(MemTy::I64, Ty::I64, found, layout.dict_version);
            let expected = self.int(dictionary.version.cast_signed());
            let same = self.compare(Cond::Eq, version, expected);
            self.guard(same, Reason::Version);
        }
    }
}
