//! Linear scan: intervals get homes.
//!
//! *Method*: the backend walks its instructions in linear order and calls [`Scan::place`] at each definition. An interval takes
//! the register of its hint if that is free, else a free one, else the register of whoever needs it less, which then has had
//! a stack slot all along. Needing is the weight of the uses over the interval's length. An interval that crosses a call may
//! only have a register that calls keep; calls that are rarely executed need not count as such, if the backend saves the
//! registers in use around them ([`Scan::in_use`]). *Invariants*: positions are instruction numbers times two, plus one for
//! what happens at the instruction's end; an interval is `start..end`; two intervals that overlap never share a home.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Registers per class at most.
const REGISTERS: usize = 32;
const NOBODY: u32 = u32::MAX;

/// Where a value lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Home {
    /// Not placed.
    #[default]
    None,
    Register(u8),
    /// A stack slot of 8 bytes.
    Slot(u32),
}

/// Where an interval would like to live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Hint {
    #[default]
    None,
    Register(u8),
    /// With another value.
    Value(u32),
}

/// The life of a value.
#[derive(Clone, Copy, Debug, Default)]
pub struct Interval {
    pub start: u32,
    pub end: u32,
    /// Uses, each counting by how often it is executed.
    pub weight: u32,
    /// Place of the block of its definition ([`super::order`]).
    pub place: u32,
    pub class: u8,
    pub hint: Hint,
}

impl Interval {
    fn need(&self) -> f32 {
        self.weight as f32 / (self.end - self.start) as f32
    }
}

/// A class of registers.
#[derive(Clone, Copy, Debug)]
pub struct Class {
    /// Those that may be given, the preferred ones first.
    pub registers: &'static [u8],
    /// Bits of those of them that calls keep.
    pub kept: u32,
}

impl Class {
    fn bits(&self) -> u32 {
        self.registers.iter().fold(0, |bits, r| bits | 1 << r)
    }
}

/// Who has which register of a class.
struct Use {
    /// Where the last interval in the register ends.
    until: [u32; REGISTERS],
    owner: [u32; REGISTERS],
    given: u32,
}

/// The scan; kept to be used again.
pub struct Scan {
    classes: [Class; 2],
    uses: [Use; 2],
    /// By value.
    pub intervals: Vec<Interval>,
    homes: Vec<Home>,
    spilled: Vec<u32>,
}

impl Scan {
    pub fn new(classes: [Class; 2]) -> Self {
        let unused = || Use { until: [0; REGISTERS], owner: [NOBODY; REGISTERS], given: 0 };
        Scan { classes, uses: [unused(), unused()], intervals: Vec::new(), homes: Vec::new(), spilled: Vec::new() }
    }

    /// Forgets everything; `values` intervals are to come.
    pub fn clear(&mut self, values: usize) {
        for usage in &mut self.uses {
            usage.until = [0; REGISTERS];
            usage.owner = [NOBODY; REGISTERS];
            usage.given = 0;
        }
        self.intervals.clear();
        self.intervals.resize(values, Interval::default());
        self.homes.clear();
        self.homes.resize(values, Home::None);
        self.spilled.clear();
    }

    pub fn home(&self, value: u32) -> Home {
        self.homes[value as usize]
    }

    /// Bits of the registers of a class that were ever given.
    pub fn given(&self, class: usize) -> u32 {
        self.uses[class].given
    }

    /// Bits of the registers of a class whose content is still needed at a position.
    pub fn in_use(&self, class: usize, at: u32) -> u32 {
        let until = &self.uses[class].until;
        self.classes[class].registers.iter().filter(|&&r| until[r as usize] > at).fold(0, |bits, r| bits | 1 << r)
    }

    /// Gives a value its home. Values come in order of their intervals' starts. `with`: a value whose register would save a
    /// move.
    pub fn place(&mut self, value: u32, crosses: bool, with: Option<u32>) {
        let interval = self.intervals[value as usize];
        let class = &self.classes[usize::from(interval.class)];
        let usage = &mut self.uses[usize::from(interval.class)];
        let allowed = if crosses { class.kept } else { class.bits() };
        let free = |r: u8| allowed & (1 << r) != 0 && usage.until[usize::from(r)] <= interval.start;
        let register_of = |value: u32| match self.homes[value as usize] {
            Home::Register(r) => Some(r),
            _ => None,
        };
        let hinted = match interval.hint {
            Hint::None => None,
            Hint::Register(r) => Some(r),
            // One step further: the other's own hint may have a home already.
            Hint::Value(other) => register_of(other).or_else(|| match self.intervals[other as usize].hint {
                Hint::Value(further) => register_of(further),
                _ => None,
            }),
        };
        let chosen = hinted
            .filter(|&r| free(r))
            .or_else(|| with.and_then(register_of).filter(|&r| free(r)))
            .or_else(|| class.registers.iter().copied().find(|&r| free(r)));
        let register = chosen.or_else(|| {
            let need = |r: u8| self.intervals[usage.owner[usize::from(r)] as usize].need();
            let candidates = class.registers.iter().copied().filter(|&r| allowed & (1 << r) != 0);
            let least = candidates.min_by(|&a, &b| need(a).total_cmp(&need(b)))?;
            (need(least) < interval.need()).then(|| {
                let owner = usage.owner[usize::from(least)];
                self.homes[owner as usize] = Home::None;
                self.spilled.push(owner);
                least
            })
        });
        match register {
            Some(r) => {
                usage.until[usize::from(r)] = interval.end;
                usage.owner[usize::from(r)] = value;
                usage.given |= 1 << r;
                self.homes[value as usize] = Home::Register(r);
            }
            None => self.spilled.push(value),
        }
    }

    /// Gives slots to what has no register; returns their number.
    pub fn place_spilled(&mut self) -> u32 {
        self.spilled.sort_unstable_by_key(|&value| self.intervals[value as usize].start);
        let mut slots = 0;
        let mut taken: BinaryHeap<Reverse<(u32, u32)>> = BinaryHeap::new();
        for &value in &self.spilled {
            let interval = &self.intervals[value as usize];
            let slot = match taken.peek() {
                Some(&Reverse((end, slot))) if end <= interval.start => {
                    taken.pop();
                    slot
                }
                _ => {
                    slots += 1;
                    slots - 1
                }
            };
            taken.push(Reverse((interval.end, slot)));
            self.homes[value as usize] = Home::Slot(slot);
        }
        slots
    }

    /// Whether two values share a home while both live: never, unless something is broken. Slow.
    pub fn conflict(&self) -> Option<(u32, u32)> {
        let mut placed: Vec<u32> =
            (0..self.homes.len() as u32).filter(|&value| self.homes[value as usize] != Home::None).collect();
        placed.sort_unstable_by_key(|&value| self.intervals[value as usize].start);
        let mut last = std::collections::HashMap::new();
        for value in placed {
            let interval = self.intervals[value as usize];
            let home = match self.homes[value as usize] {
                Home::Register(r) => (interval.class, u32::from(r)),
                Home::Slot(slot) => (u8::MAX, slot),
                Home::None => continue,
            };
            let before = last.insert(home, (value, interval.end));
            if let Some((other, _)) = before.filter(|&(_, end)| end > interval.start) {
                return Some((other, value));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: [Class; 2] =
        [Class { registers: &[0, 1, 2, 3], kept: 0b1100 }, Class { registers: &[0, 1], kept: 0 }];

    fn scan(intervals: &[(u32, u32, u32, u8)], crossing: &[u32]) -> (Scan, u32) {
        let mut scan = Scan::new(CLASSES);
        scan.clear(intervals.len());
        for (value, &(start, end, weight, class)) in intervals.iter().enumerate() {
            scan.intervals[value] = Interval { start, end, weight, class, ..Interval::default() };
        }
        for value in 0..intervals.len() as u32 {
            scan.place(value, crossing.contains(&value), None);
        }
        let slots = scan.place_spilled();
        assert_eq!(scan.conflict(), None);
        (scan, slots)
    }

    #[test]
    fn the_least_needed_goes_to_the_stack() {
        let (scan, slots) =
            scan(&[(0, 100, 10, 0), (1, 100, 1, 0), (2, 100, 10, 0), (3, 100, 10, 0), (4, 9, 10, 0)], &[]);
        assert_eq!(slots, 1);
        assert_eq!(scan.home(1), Home::Slot(0));
        assert_eq!(scan.home(4), Home::Register(1));
        assert_eq!((scan.in_use(0, 50), scan.given(0)), (0b1101, 0b1111));
    }

    #[test]
    fn what_crosses_calls_is_kept() {
        let (scan, slots) = scan(&[(0, 10, 9, 0), (1, 10, 8, 0), (2, 10, 1, 0), (3, 10, 1, 1)], &[0, 1, 2, 3]);
        assert_eq!((scan.home(0), scan.home(1)), (Home::Register(2), Home::Register(3)));
        assert_eq!(slots, 2);
    }

    #[test]
    fn slots_are_used_again() {
        let lives: Vec<(u32, u32, u32, u8)> = (0..50).map(|i| (i * 2, i * 2 + 11, 1, 1)).collect();
        let (_, slots) = scan(&lives, &[]);
        assert!(slots <= 6, "{slots}");
    }

    #[test]
    fn hints_are_followed() {
        let mut scan = Scan::new(CLASSES);
        scan.clear(4);
        let life = |start, end, hint| Interval { start, end, weight: 1, hint, ..Interval::default() };
        scan.intervals[0] = life(0, 9, Hint::Register(3));
        scan.intervals[1] = life(9, 20, Hint::Value(0));
        scan.intervals[2] = life(20, 30, Hint::Value(3));
        scan.intervals[3] = life(40, 50, Hint::Value(1));
        for value in 0..4 {
            scan.place(value, false, None);
        }
        assert!((0..4).all(|value| scan.home(value) == Home::Register(3)));
    }
}
