//! `/tmp/perf-PID.map`, by which `perf` names compiled functions.
//!
//! A convenience for people: when it cannot be written, that is silently left alone. A child after `fork` starts from a copy
//! of its parent's file, whose functions it has too.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

#[derive(Default)]
pub(super) struct PerfMap {
    file: Option<(u32, File)>,
}

impl PerfMap {
    pub(super) fn add(&mut self, start: *const u8, len: usize, name: &str) {
        let pid = std::process::id();
        if self.file.as_ref().is_none_or(|&(of, _)| of != pid) {
            let parent = self.file.take().map(|(of, _)| of);
            self.file = Self::open(pid, parent).ok().map(|file| (pid, file));
        }
        if let Some((_, file)) = &mut self.file {
            let name = name.replace(['\n', '\r'], " ");
            // One write per line, so that lines of several writers do not mix.
            let _ = file.write_all(format!("{:x} {len:x} {name}\n", start as usize).as_bytes());
        }
    }

    fn open(pid: u32, parent: Option<u32>) -> std::io::Result<File> {
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
            .open(format!("/tmp/perf-{pid}.map"))?;
        if let Some(mut inherited) = parent.and_then(|parent| File::open(format!("/tmp/perf-{parent}.map")).ok()) {
            std::io::copy(&mut inherited, &mut file)?;
        }
        Ok(file)
    }
}
