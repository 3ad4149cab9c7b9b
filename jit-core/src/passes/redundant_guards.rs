//! Type checks whose answer is known.
//!
//! *Problem*: every use of a Python value guards its type. *Method*: a walk of the dominator tree carries, per value, the set
//! of types it may have: from its definition, from guards that dominate, from branches on `is_type` whose block has no other
//! predecessor. Leaving a subtree undoes what was learned in it. A condition that was guarded needs no guard below.
//! *Invariants*: facts about exact built-in types hold as long as the value does, since objects of those types cannot change
//! their type, except modules: a check for `module` is never dropped.

use super::Context;
use crate::ir::function::Function;
use crate::ir::op::{Op, Symbol, Value};
use crate::ir::types::{PyTypes, Ty};

enum Undo {
    Types(Value, PyTypes),
    True(Value),
}

struct Facts {
    types: Vec<PyTypes>,
    /// Conditions that are not 0 here.
    holds: Vec<bool>,
    /// Conditions that are type tests.
    tests: Vec<Option<(Value, PyTypes)>>,
    log: Vec<Undo>,
}

impl Facts {
    fn learn(&mut self, value: Value, types: PyTypes) {
        let old = std::mem::replace(&mut self.types[value.0 as usize], types);
        if old != types {
            self.log.push(Undo::Types(value, old));
        }
    }

    fn learn_true(&mut self, condition: Value) {
        if !std::mem::replace(&mut self.holds[condition.0 as usize], true) {
            self.log.push(Undo::True(condition));
        }
        if let Some((value, py)) = self.tests[condition.0 as usize]
            && py != PyTypes::MODULE
        {
            self.learn(value, py);
        }
    }

    fn learn_false(&mut self, condition: Value) {
        if let Some((value, py)) = self.tests[condition.0 as usize]
            && py != PyTypes::MODULE
        {
            self.learn(value, self.types[value.0 as usize].difference(py));
        }
    }

    fn undo_to(&mut self, length: usize) {
        while self.log.len() > length {
            match self.log.pop() {
                Some(Undo::Types(value, old)) => self.types[value.0 as usize] = old,
                Some(Undo::True(value)) => self.holds[value.0 as usize] = false,
                None => return,
            }
        }
    }

    /// Some(answer) when it is known.
    fn is(&self, value: Value, py: PyTypes) -> Option<bool> {
        let types = self.types[value.0 as usize];
        if py == PyTypes::MODULE || types.is_empty() {
            None
        } else if types == py {
            Some(true)
        } else if !types.intersects(py) {
            Some(false)
        } else {
            None
        }
    }
}

/// What a definition says of its object.
fn types_of(op: &Op) -> Option<PyTypes> {
    Some(match op {
        Op::BoxFloat(_) | Op::Call(crate::helpers::Helper::BoxFloat, _) => PyTypes::FLOAT,
        Op::BoxInt(_) | Op::Call(crate::helpers::Helper::BoxInt, _) => PyTypes::INT,
        Op::BoxBool(_) | Op::Symbol(Symbol::True | Symbol::False, Ty::Obj) => PyTypes::BOOL,
        Op::Symbol(Symbol::None, Ty::Obj) => PyTypes::NONE,
        _ => return None,
    })
}

pub(super) fn run(function: &mut Function, context: &mut Context) -> usize {
    let graph = context.graph(function);
    let count = function.values.len();
    let mut facts = Facts {
        types: function.values.iter().map(|data| data.py).collect(),
        holds: vec![false; count],
        tests: vec![None; count],
        log: Vec::new(),
    };
    let mut changes = 0;
    let mut open: Vec<(crate::ir::op::Block, usize)> = Vec::new();
    for block in graph.dominator_preorder() {
        while let Some((above, length)) = open.last() {
            if graph.dominates(*above, *block) {
                break;
            }
            let length = *length;
            facts.undo_to(length);
            open.pop();
        }
        open.push((*block, facts.log.len()));
        if let [pred] = graph.predecessors(*block)
            && let Some(Op::Branch(condition, then, otherwise)) = function.terminator(*pred)
            && then.block != otherwise.block
        {
            if then.block == *block { facts.learn_true(*condition) } else { facts.learn_false(*condition) }
        }
        function.blocks[block.0 as usize].insts.retain_mut(|inst| {
            if let Some(result) = inst.result
                && let Some(py) = types_of(&inst.op)
            {
                facts.types[result.0 as usize] = py;
            }
            match &inst.op {
                Op::GuardType(value, py, _) => {
                    if facts.is(*value, *py) == Some(true) {
                        changes += 1;
                        return false;
                    }
                    if *py != PyTypes::MODULE {
                        facts.learn(*value, *py);
                    }
                }
                Op::IsType(value, py) => {
                    if let Some(result) = inst.result {
                        match facts.is(*value, *py) {
                            Some(answer) => {
                                inst.op = Op::IConst(answer.into());
                                changes += 1;
                            }
                            None => facts.tests[result.0 as usize] = Some((*value, *py)),
                        }
                    }
                }
                Op::Guard(condition, _) => {
                    if facts.holds[condition.0 as usize] {
                        changes += 1;
                        return false;
                    }
                    facts.learn_true(*condition);
                }
                _ => {}
            }
            true
        });
    }
    changes
}
