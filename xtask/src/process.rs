//! Running programs: with a time limit, with their output kept, several at a time.
//!
//! Output goes to files, not pipes: a grandchild that outlives the program would keep a pipe open and its reader waiting.
//! The program leads its own process group, so that a time-out ends its children too.

use crate::error::{Error, Result};
use std::collections::VecDeque;
use std::fs::File;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Exit(i32),
    Signal(i32),
    TimedOut,
}

impl End {
    fn of(status: ExitStatus) -> End {
        match (status.code(), status.signal()) {
            (Some(code), _) => End::Exit(code),
            (None, Some(signal)) => End::Signal(signal),
            (None, None) => End::Exit(-1),
        }
    }

    pub fn success(self) -> bool {
        self == End::Exit(0)
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            End::Exit(code) => write!(f, "exit code {code}"),
            End::Signal(signal) => write!(f, "killed by signal {signal}"),
            End::TimedOut => write!(f, "timed out"),
        }
    }
}

/// What a program left behind.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub end: End,
    pub stdout: String,
    pub stderr: String,
    pub elapsed: Duration,
}

impl Outcome {
    /// Standard output, or an error that shows the end of the output.
    pub fn success(self, what: &str) -> Result<String> {
        if self.end.success() {
            return Ok(self.stdout);
        }
        let output = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        Err(Error::Program { what: what.to_string(), status: self.end.to_string(), output: last_lines(output, 30) })
    }
}

/// Gives a program the signals that one started by hand has: a shell ignores some for what it runs in the background, and
/// programs inherit that. Python then installs no handler for Ctrl-C.
fn with_default_signals(command: &mut Command) {
    let reset = || {
        for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT] {
            // SAFETY: between fork and exec only async-signal-safe functions may be called; this is one.
            if unsafe { libc::signal(signal, libc::SIG_DFL) } == libc::SIG_ERR {
                return Err(std::io::Error::last_os_error());
            }
        }
        Ok(())
    };
    // SAFETY: the closure allocates nothing and takes no locks.
    unsafe { command.pre_exec(reset) };
}

/// Runs `command` for at most `limit` and keeps its output.
pub fn run(command: &mut Command, limit: Duration) -> Result<Outcome> {
    with_default_signals(command);
    let scratch = scratch_dir()?;
    let (stdout, stderr) = (scratch.join("stdout"), scratch.join("stderr"));
    command
        .stdin(Stdio::null())
        .stdout(File::create(&stdout).map_err(Error::io(&stdout))?)
        .stderr(File::create(&stderr).map_err(Error::io(&stderr))?)
        .process_group(0);
    let start = Instant::now();
    let mut child = command.spawn().map_err(Error::io(command.get_program()))?;
    let mut pause = Duration::from_millis(1);
    let end = loop {
        if let Some(status) = child.try_wait().map_err(Error::io(command.get_program()))? {
            break End::of(status);
        }
        if start.elapsed() >= limit {
            let group = i32::try_from(child.id()).expect("process ids fit an i32");
            // SAFETY: `killpg` takes no pointers; the group is the one that the child leads, and the child has not
            // been waited for, so its number cannot have been given to another process.
            unsafe { libc::killpg(group, libc::SIGKILL) };
            let _ = child.wait();
            break End::TimedOut;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    };
    let elapsed = start.elapsed();
    let text = |path: &PathBuf| std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let outcome = Outcome {
        end,
        stdout: text(&stdout).map_err(Error::io(&stdout))?,
        stderr: text(&stderr).map_err(Error::io(&stderr))?,
        elapsed,
    };
    let _ = std::fs::remove_dir_all(&scratch);
    Ok(outcome)
}

/// Runs `command` with its output shown to the user; an error when it does not end well.
pub fn run_visible(command: &mut Command, what: &str) -> Result<()> {
    let status = command.status().map_err(Error::io(command.get_program()))?;
    match End::of(status) {
        end if end.success() => Ok(()),
        end => Err(Error::Program { what: what.to_string(), status: end.to_string(), output: String::new() }),
    }
}

/// Does `work` on every item with `jobs` threads; results come back in the order of the items.
pub fn in_parallel<T: Send, R: Send>(jobs: usize, items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let count = items.len();
    let queue: Mutex<VecDeque<(usize, T)>> = Mutex::new(items.into_iter().enumerate().collect());
    let done: Mutex<Vec<Option<R>>> = Mutex::new((0..count).map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, count.max(1)) {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().expect("no worker panics with the lock held").pop_front();
                    let Some((index, item)) = next else { break };
                    let result = work(item);
                    done.lock().expect("no worker panics with the lock held")[index] = Some(result);
                }
            });
        }
    });
    let done = done.into_inner().expect("every worker has ended");
    done.into_iter().map(|result| result.expect("every item was worked on")).collect()
}

/// A fresh folder under `target/`, of this process and this call.
pub fn scratch_dir() -> Result<PathBuf> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let dir = crate::target_dir().join("xtask-scratch").join(format!("{}-{number}", std::process::id()));
    std::fs::create_dir_all(&dir).map_err(Error::io(&dir))?;
    Ok(dir)
}

/// The last `count` lines of a text.
pub fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_and_exit_code_are_kept() {
        let outcome =
            run(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]), Duration::from_secs(10)).unwrap();
        assert_eq!((outcome.end, outcome.stdout.as_str(), outcome.stderr.as_str()), (End::Exit(3), "out\n", "err\n"));
    }

    #[test]
    fn a_time_out_ends_the_whole_group() {
        let outcome = run(Command::new("sh").args(["-c", "sleep 60 & wait"]), Duration::from_millis(200)).unwrap();
        assert_eq!(outcome.end, End::TimedOut);
        assert!(outcome.elapsed < Duration::from_secs(10));
    }

    #[test]
    fn a_signal_is_told_from_an_exit_code() {
        let outcome = run(Command::new("sh").args(["-c", "kill -9 $$"]), Duration::from_secs(10)).unwrap();
        assert_eq!(outcome.end, End::Signal(9));
    }

    #[test]
    fn signals_that_a_background_shell_ignores_are_not_ignored() {
        // SAFETY: nothing in this process depends on SIGQUIT.
        let before = unsafe { libc::signal(libc::SIGQUIT, libc::SIG_IGN) };
        let outcome =
            run(Command::new("sh").args(["-c", "ulimit -c 0; kill -QUIT $$"]), Duration::from_secs(10)).unwrap();
        // SAFETY: as it was.
        unsafe { libc::signal(libc::SIGQUIT, before) };
        assert_eq!(outcome.end, End::Signal(libc::SIGQUIT));
    }

    #[test]
    fn parallel_results_keep_their_order() {
        assert_eq!(in_parallel(3, (0..50).collect(), |n: i32| n * n), (0..50).map(|n| n * n).collect::<Vec<_>>());
    }
}
