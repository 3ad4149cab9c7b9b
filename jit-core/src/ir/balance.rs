//! The balance of references: each one that compiled code takes is given up once, on every path.
//!
//! *Problem*: a reference that is forgotten on a rare path leaks, and one that is given up twice frees an object that is in use;
//! tests see neither unless they take that path. *Method*: each tracked value has an account, the references that the function
//! owns through it. Calls that return new references, boxes and `incref` pay in; `decref`, operands that a helper steals, slots,
//! returns and `Owned` sources of exits take out. Accounts flow forward over the blocks until nothing changes, as in any data-flow
//! analysis; where a value dies its account must be empty. A reference that is passed to a block parameter, and whose value is not
//! used behind the edge, becomes the parameter's. *Invariants*: a reported imbalance is one in the IR; where ownership passes
//! through memory (stored objects, loaded ones, `select`) the account becomes unknown, and nothing is reported of it.
//!
//! # Rules
//!
//! - R1 A reference that the function took itself is not given up more often than it was taken.
//! - R2 No reference is left where its value dies: at returns, on edges, on the way out of a guard.
//! - R3 Where paths meet, a value that is used later brings as many references on each of them; null brings any number.
//!
//! Only the level of Python operations shows references, so lowered functions have no balance.

use super::dominators::FlowGraph;
use super::function::Function;
use super::op::{BinOp, Block, Cond, Leave, Op, Symbol, Target, UnOp, Value};
use super::types::{PyTypes, Ty};
use super::verify::{MAX_ERRORS, VerifyError, VerifyErrors};
use crate::exit::Source;
use crate::helpers::{Helper, Passing};
use std::collections::{BTreeMap, BTreeSet};

/// References owned through a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Account {
    /// The value is null on this path: there is nothing to own.
    Null,
    Owned(u32),
    /// Paths met with different numbers of references; nothing more is said of it.
    Torn,
    /// Ownership went through memory.
    Unknown,
}

/// Accounts that are not empty, by value.
type Accounts = BTreeMap<Value, Account>;

/// Checks the rules R. The function must satisfy [`super::verify::verify`] at the level of Python operations.
pub fn balance(function: &Function) -> Result<(), VerifyErrors> {
    let graph = FlowGraph::new(function);
    let mut books = Books::new(function, &graph);
    let mut changed = true;
    while changed {
        changed = false;
        for block in graph.order() {
            changed |= books.walk(*block);
        }
    }
    books.arrivals = Some(vec![None; function.blocks.len()]);
    for block in graph.order() {
        books.walk(*block);
    }
    let errors: Vec<VerifyError> = books.errors.into_iter().take(MAX_ERRORS).collect();
    if errors.is_empty() { Ok(()) } else { Err(VerifyErrors(errors)) }
}

/// What an instruction's result is, as far as accounts care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// Null itself.
    Null,
    /// A reference of the function's own, an object that lives as long as the code, or a parameter that gets only such: nobody
    /// else's reference is given up through it.
    Ours,
    /// From memory: taking it out of there makes its reference the function's.
    Elsewhere,
}

struct Books<'a> {
    function: &'a Function,
    origins: Vec<Origin>,
    /// Values that are stored somewhere: what is loaded from there may be given up under their name.
    stored: Vec<bool>,
    /// Conditions that say of values that they are null: when they hold, or when they do not.
    null_tests: BTreeMap<Value, (bool, Vec<Value>)>,
    /// Values used in the block or behind it and defined before it, by block.
    live: Vec<BTreeSet<Value>>,
    /// Accounts at the entry of each block that was reached.
    entries: Vec<Option<Accounts>>,
    /// In the last walk, which reports: what has arrived at each block so far.
    arrivals: Option<Vec<Option<Accounts>>>,
    errors: Vec<VerifyError>,
    at: (Block, usize),
}

impl Books<'_> {
    fn new<'a>(function: &'a Function, graph: &FlowGraph) -> Books<'a> {
        let mut books = Books {
            function,
            origins: vec![Origin::Elsewhere; function.values.len()],
            stored: vec![false; function.values.len()],
            null_tests: BTreeMap::new(),
            live: Vec::new(),
            entries: vec![None; function.blocks.len()],
            arrivals: None,
            errors: Vec::new(),
            at: (Block(0), 0),
        };
        if let Some(entry) = books.entries.first_mut() {
            *entry = Some(Accounts::new());
        }
        for inst in function.blocks.iter().flat_map(|block| &block.insts) {
            if let Op::SlotSet(_, value) | Op::Store { value, .. } = inst.op {
                books.stored[value.0 as usize] = true;
            }
            let Some(result) = inst.result else { continue };
            books.origins[result.0 as usize] = match &inst.op {
                Op::Null(_) => Origin::Null,
                Op::Symbol(symbol, _) if !matches!(symbol, Symbol::Address(_) | Symbol::SmallInts) => Origin::Ours,
                op if gives_reference(op) => Origin::Ours,
                _ => Origin::Elsewhere,
            };
        }
        books.find_null_tests();
        books.find_origins_of_parameters();
        books.live = liveness(function, graph, &books.tracked());
        books
    }

    fn find_null_tests(&mut self) {
        for inst in self.function.blocks.iter().flat_map(|block| &block.insts) {
            let Some(result) = inst.result else { continue };
            let test = match inst.op {
                Op::Compare(cond @ (Cond::Eq | Cond::Ne), a, b) => {
                    let tested = match (self.origin(a), self.origin(b)) {
                        (_, Origin::Null) => a,
                        (Origin::Null, _) => b,
                        _ => continue,
                    };
                    (cond == Cond::Eq, vec![tested])
                }
                // Addresses as numbers, several of them in one.
                Op::Unary(UnOp::Cast(Ty::I64), value) if self.function.ty(value) == Ty::Obj => (false, vec![value]),
                Op::Binary(BinOp::Or, a, b) => match (self.null_tests.get(&a), self.null_tests.get(&b)) {
                    (Some((false, a)), Some((false, b))) => (false, [a.as_slice(), b].concat()),
                    _ => continue,
                },
                _ => continue,
            };
            self.null_tests.insert(result, test);
        }
    }

    fn find_origins_of_parameters(&mut self) {
        let function = self.function;
        for param in function.blocks.iter().flat_map(|block| &block.params) {
            self.origins[param.0 as usize] = Origin::Ours;
        }
        let mut changed = true;
        while changed {
            changed = false;
            for op in function.blocks.iter().filter_map(|block| Some(&block.insts.last()?.op)) {
                op.for_each_target(|target| {
                    let params = &function.blocks[target.block.0 as usize].params;
                    for (arg, param) in target.args.iter().zip(params) {
                        if self.comes_from_memory(*arg) && self.origin(*param) == Origin::Ours {
                            self.origins[param.0 as usize] = Origin::Elsewhere;
                            changed = true;
                        }
                    }
                });
            }
        }
    }

    fn origin(&self, value: Value) -> Origin {
        self.origins[value.0 as usize]
    }

    /// Values through which the function may own references: those that it takes, and parameters that may get them.
    fn tracked(&self) -> Vec<bool> {
        let mut tracked = vec![false; self.function.values.len()];
        for inst in self.function.blocks.iter().flat_map(|block| &block.insts) {
            if let Op::Incref(value) = inst.op {
                tracked[value.0 as usize] = true;
            }
            if let Some(result) = inst.result.filter(|_| gives_reference(&inst.op)) {
                tracked[result.0 as usize] = true;
            }
        }
        let mut changed = true;
        while changed {
            changed = false;
            for op in self.function.blocks.iter().filter_map(|block| Some(&block.insts.last()?.op)) {
                op.for_each_target(|target| {
                    let params = &self.function.blocks[target.block.0 as usize].params;
                    for (arg, param) in target.args.iter().zip(params) {
                        if tracked[arg.0 as usize] && !tracked[param.0 as usize] {
                            tracked[param.0 as usize] = true;
                            changed = true;
                        }
                    }
                });
            }
        }
        tracked
    }

    fn fail(&mut self, rule: &'static str, message: String) {
        if self.arrivals.is_some() {
            let (block, inst) = self.at;
            self.errors.push(VerifyError { rule, block: Some(block), inst: Some(inst), message });
        }
    }

    /// Goes through a block from its entry's accounts. Gives whether those of a successor's changed.
    fn walk(&mut self, block: Block) -> bool {
        let Some(mut accounts) = self.entries[block.0 as usize].clone() else { return false };
        let function = self.function;
        let mut changed = false;
        for (position, inst) in function.blocks[block.0 as usize].insts.iter().enumerate() {
            self.at = (block, position);
            let op = &inst.op;
            if let Some(leave) = op.leave() {
                let mut leaving = accounts.clone();
                if let Op::Guard(condition, _) = op {
                    self.learn(&mut leaving, *condition, false);
                    self.learn(&mut accounts, *condition, true);
                }
                self.leave(leaving, leave);
            }
            match op {
                Op::Incref(value) => self.pay_in(&mut accounts, *value),
                Op::Decref(value) | Op::XDecref(value) | Op::SlotSet(_, value) => self.take_out(&mut accounts, *value),
                Op::Store { base, offset, value, .. } => {
                    self.lose_sight(&mut accounts, *value);
                    if *offset == 0 {
                        // An object begins with its count.
                        self.lose_sight(&mut accounts, *base);
                    }
                }
                Op::Select(_, a, b) if function.ty(*a) == Ty::Obj => {
                    for value in [a, b].into_iter().chain(inst.result.iter()) {
                        self.lose_sight(&mut accounts, *value);
                    }
                }
                Op::Unary(UnOp::Cast(Ty::Obj), value) if function.ty(*value) == Ty::Ptr => {
                    accounts.extend(inst.result.map(|result| (result, Account::Unknown)));
                }
                Op::Call(helper, args) => {
                    for (arg, passing) in args.iter().zip(helper.params()) {
                        if matches!(passing, Passing::Stolen | Passing::StolenOrNull) {
                            self.take_out(&mut accounts, *arg);
                        } else if matches!(helper, Helper::CollectValue | Helper::GiveBack) {
                            // They take the reference where they have a use for it, and say so.
                            self.lose_sight(&mut accounts, *arg);
                        }
                    }
                }
                Op::Return(_, value) => {
                    if let Some(value) = value {
                        self.take_out(&mut accounts, *value);
                    }
                    self.all_given_up(&accounts, None);
                }
                Op::Jump(target) => changed |= self.edge(accounts.clone(), target),
                Op::Branch(condition, then, otherwise) => {
                    let mut holds = accounts.clone();
                    self.learn(&mut holds, *condition, true);
                    changed |= self.edge(holds, then);
                    let mut fails = accounts.clone();
                    self.learn(&mut fails, *condition, false);
                    changed |= self.edge(fails, otherwise);
                }
                Op::Switch(_, cases, default) => {
                    for target in cases.iter().chain([default]) {
                        changed |= self.edge(accounts.clone(), target);
                    }
                }
                _ => {}
            }
            if let Some(result) = inst.result.filter(|_| gives_reference(op)) {
                let null = function.values[result.0 as usize].py == PyTypes::NULL;
                let account = if null { Account::Null } else { Account::Owned(1) };
                accounts.insert(result, account);
            }
        }
        changed
    }

    /// Whether references to the object may be taken out of memory under this name.
    fn comes_from_memory(&self, value: Value) -> bool {
        self.origin(value) == Origin::Elsewhere || self.stored[value.0 as usize]
    }

    /// A condition is known to hold, or not to.
    fn learn(&self, accounts: &mut Accounts, condition: Value, holds: bool) {
        if let Some((when, values)) = self.null_tests.get(&condition)
            && *when == holds
        {
            accounts.extend(values.iter().map(|value| (*value, Account::Null)));
        }
    }

    fn account(&self, accounts: &Accounts, value: Value) -> Account {
        match self.origin(value) {
            Origin::Null => Account::Null,
            _ => accounts.get(&value).copied().unwrap_or(Account::Owned(0)),
        }
    }

    fn pay_in(&mut self, accounts: &mut Accounts, value: Value) {
        if let Account::Owned(count) = self.account(accounts, value) {
            accounts.insert(value, Account::Owned(count + 1));
        }
    }

    fn take_out(&mut self, accounts: &mut Accounts, value: Value) {
        match self.account(accounts, value) {
            Account::Null | Account::Torn | Account::Unknown => {}
            Account::Owned(1) => {
                accounts.remove(&value);
            }
            Account::Owned(0) => {
                if !self.comes_from_memory(value) {
                    self.fail("R1", format!("{value:?} is given up, and the function has no reference to it"));
                }
                accounts.insert(value, Account::Unknown);
            }
            Account::Owned(count) => {
                accounts.insert(value, Account::Owned(count - 1));
            }
        }
    }

    fn lose_sight(&self, accounts: &mut Accounts, value: Value) {
        if self.function.ty(value) == Ty::Obj && self.origin(value) != Origin::Null {
            accounts.insert(value, Account::Unknown);
        }
    }

    /// Nothing is owned but through values that live on in `behind`.
    fn all_given_up(&mut self, accounts: &Accounts, behind: Option<Block>) {
        for (value, account) in accounts {
            if let Account::Owned(count @ 1..) = account
                && !behind.is_some_and(|block| self.live[block.0 as usize].contains(value))
            {
                self.fail("R2", format!("{value:?} dies here with {count} references"));
            }
        }
    }

    /// The way out of an instruction.
    fn leave(&mut self, mut accounts: Accounts, leave: &Leave) {
        let exit = &self.function.exits[leave.exit.0 as usize];
        for source in exit.sources() {
            if let Source::Owned(index) = source {
                self.take_out(&mut accounts, leave.values[*index as usize]);
            }
        }
        self.all_given_up(&accounts, None);
    }

    /// Control goes to a block. Gives whether its accounts changed.
    fn edge(&mut self, mut accounts: Accounts, target: &Target) -> bool {
        let block = target.block;
        let params = &self.function.blocks[block.0 as usize].params;
        let objects = || target.args.iter().zip(params).filter(|(_, param)| self.function.ty(**param) == Ty::Obj);
        let mut passed = Accounts::new();
        for (arg, param) in objects() {
            let account = match self.account(&accounts, *arg) {
                // A reference stays with a value that is used behind the edge, or goes to the parameter: nobody says which.
                Account::Owned(1..) if self.live[block.0 as usize].contains(arg) => Account::Unknown,
                Account::Owned(count @ 1..) => match objects().filter(|(other, _)| *other == arg).count() as u32 {
                    1 => Account::Owned(count),
                    shares if shares == count => Account::Owned(1),
                    _ => Account::Unknown,
                },
                // It may have been taken out of a slot.
                Account::Owned(_) if self.comes_from_memory(*arg) => Account::Unknown,
                account => account,
            };
            passed.insert(*param, account);
        }
        for (arg, param) in objects() {
            if !self.live[block.0 as usize].contains(arg) {
                accounts.remove(arg);
            } else if passed[param] == Account::Unknown {
                self.lose_sight(&mut accounts, *arg);
            }
        }
        self.all_given_up(&accounts, Some(block));
        accounts.retain(|value, _| self.live[block.0 as usize].contains(value));
        accounts.append(&mut passed);
        accounts.retain(|_, account| *account != Account::Owned(0));
        self.meet(block, accounts)
    }

    fn meet(&mut self, block: Block, arriving: Accounts) -> bool {
        let met = self.arrivals.as_mut().unwrap_or(&mut self.entries);
        let Some(mut known) = met[block.0 as usize].take() else {
            met[block.0 as usize] = Some(arriving);
            return true;
        };
        let mut changed = false;
        let values: BTreeSet<Value> = known.keys().chain(arriving.keys()).copied().collect();
        for value in values {
            let (old, new) = (self.account(&known, value), self.account(&arriving, value));
            let met = match (old, new) {
                (Account::Null, other) | (other, Account::Null) => other,
                (Account::Unknown, _) | (_, Account::Unknown) => Account::Unknown,
                (old, new) if old == new => old,
                // One path has taken it out of a slot.
                _ if self.stored[value.0 as usize] => Account::Unknown,
                (Account::Owned(a), Account::Owned(b)) => {
                    self.fail("R3", format!("{value:?} comes to {block:?} with {a} references, and with {b}"));
                    Account::Torn
                }
                _ => {
                    self.fail("R3", format!("{value:?} comes to {block:?} with different numbers of references"));
                    Account::Torn
                }
            };
            changed |= met != old;
            known.insert(value, met);
        }
        let met = self.arrivals.as_mut().unwrap_or(&mut self.entries);
        met[block.0 as usize] = Some(known);
        changed
    }
}

/// Whether the result is a new reference.
fn gives_reference(op: &Op) -> bool {
    match op {
        Op::Call(helper, _) => matches!(helper.result(), Passing::Stolen | Passing::StolenOrNull),
        Op::BoxFloat(_) | Op::BoxInt(_) | Op::BoxBool(_) => true,
        _ => false,
    }
}

/// The tracked values that are used in a block or behind it and defined before it.
fn liveness(function: &Function, graph: &FlowGraph, tracked: &[bool]) -> Vec<BTreeSet<Value>> {
    let mut live: Vec<BTreeSet<Value>> = vec![BTreeSet::new(); function.blocks.len()];
    let mut changed = true;
    while changed {
        changed = false;
        for block in graph.order().iter().rev() {
            let data = &function.blocks[block.0 as usize];
            let mut here = BTreeSet::new();
            if let Some(last) = data.insts.last() {
                last.op.for_each_target(|target| here.extend(&live[target.block.0 as usize]));
            }
            for inst in data.insts.iter().rev() {
                if let Some(result) = inst.result {
                    here.remove(&result);
                }
                inst.op.for_each_value(|value| {
                    if tracked[value.0 as usize] {
                        here.insert(value);
                    }
                });
            }
            for param in &data.params {
                here.remove(param);
            }
            if here.len() != live[block.0 as usize].len() {
                live[block.0 as usize] = here;
                changed = true;
            }
        }
    }
    live
}
