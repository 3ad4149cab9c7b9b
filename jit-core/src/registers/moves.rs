//! Parallel moves: the arguments of an edge or a call go to their places all at once.
//!
//! *Method*: a move is done after every move that reads its destination; a cycle is cut by saving the destination in a
//! temporary place first (Rideau, Serpette and Leroy, "Tilting at windmills with Coq"). Without recursion: edges may have
//! thousands of moves. *Invariants*: destinations are distinct, and constants may be sources, since nothing writes them. At
//! most one temporary is in use at a time, and it is not among the places.

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Waiting,
    /// What reads its destination is being moved.
    Going,
    Done,
}

/// Moves in the making; kept to be used again.
pub struct ParallelMoves<P> {
    /// Destination and source.
    moves: Vec<(P, P)>,
    progress: Vec<Progress>,
    /// Moves that are going, with how far their readers were searched.
    going: Vec<(usize, usize)>,
}

impl<P> Default for ParallelMoves<P> {
    fn default() -> Self {
        ParallelMoves { moves: Vec::new(), progress: Vec::new(), going: Vec::new() }
    }
}

impl<P: Copy + PartialEq> ParallelMoves<P> {
    /// Adds a move; one from a place to itself is none.
    pub fn add(&mut self, to: P, from: P) {
        if to != from {
            self.moves.push((to, from));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.moves.is_empty()
    }

    /// Gives the moves one after another, as `(to, from)`, and forgets them. `temporary` names the place that saves the
    /// content of another one.
    pub fn resolve(&mut self, temporary: impl Fn(P) -> P, mut emit: impl FnMut(P, P)) {
        if let [(to, from)] = self.moves[..] {
            self.moves.clear();
            return emit(to, from);
        }
        self.progress.clear();
        self.progress.resize(self.moves.len(), Progress::Waiting);
        for first in 0..self.moves.len() {
            if self.progress[first] != Progress::Waiting {
                continue;
            }
            self.progress[first] = Progress::Going;
            self.going.push((first, 0));
            while let Some((current, searched)) = self.going.last_mut() {
                let current = *current;
                let to = self.moves[current].0;
                let reader = (*searched..self.moves.len())
                    .find(|&other| self.progress[other] != Progress::Done && self.moves[other].1 == to);
                match reader {
                    Some(other) => {
                        *searched = other + 1;
                        if self.progress[other] == Progress::Waiting {
                            self.progress[other] = Progress::Going;
                            self.going.push((other, 0));
                        } else {
                            let saved = temporary(to);
                            emit(saved, to);
                            self.moves[other].1 = saved;
                        }
                    }
                    None => {
                        emit(to, self.moves[current].1);
                        self.progress[current] = Progress::Done;
                        self.going.pop();
                    }
                }
            }
        }
        self.moves.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs moves on places 0..count, the temporary being `count`.
    fn check(count: usize, moves: &[(usize, usize)]) -> usize {
        let mut parallel = ParallelMoves::default();
        let before: Vec<usize> = (0..=count).collect();
        let mut expected = before.clone();
        for &(to, from) in moves {
            parallel.add(to, from);
            expected[to] = before[from];
        }
        let (mut places, mut steps) = (before, 0);
        parallel.resolve(
            |_| count,
            |to, from| {
                places[to] = places[from];
                steps += 1;
            },
        );
        assert_eq!(places[..count], expected[..count], "{moves:?}");
        assert!(parallel.is_empty());
        steps
    }

    #[test]
    fn chains_cycles_and_fans() {
        assert_eq!(check(4, &[]), 0);
        assert_eq!(check(4, &[(1, 1)]), 0);
        assert_eq!(check(4, &[(0, 1), (1, 2), (2, 3)]), 3);
        assert_eq!(check(4, &[(2, 3), (1, 2), (0, 1)]), 3);
        assert_eq!(check(4, &[(0, 1), (1, 0)]), 3);
        assert_eq!(check(4, &[(0, 1), (1, 2), (2, 0), (3, 0)]), 5);
        assert_eq!(check(6, &[(0, 1), (1, 0), (2, 3), (3, 4), (4, 2), (5, 0)]), 8);
    }

    #[test]
    fn every_small_assignment() {
        let count = 5usize;
        for code in 0..count.pow(5) {
            let moves: Vec<(usize, usize)> = (0..count).map(|to| (to, code / count.pow(to as u32) % count)).collect();
            check(count, &moves);
        }
    }

    #[test]
    fn long_cycles_need_no_deep_stack() {
        let count = 20_000;
        let moves: Vec<(usize, usize)> = (0..count).map(|to| (to, (to + 1) % count)).rev().collect();
        assert_eq!(check(count, &moves), count + 1);
    }
}
