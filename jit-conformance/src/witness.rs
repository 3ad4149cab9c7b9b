//! Witnesses of the calling convention: code that looks at registers.
//!
//! *Problem*: what a compiled function does to registers cannot be seen from Rust. *Method*: [`enter`] calls a compiled
//! function with marks in the registers that belong to the caller, and garbage in all others, and looks at the marks
//! afterwards; [`witness`] is called *by* compiled code as any helper: it keeps every register that can carry an argument, the
//! words above its return address and the stack pointer, gives the result that [`Witnessed::results`] says, in both result
//! registers, and clobbers every register that a callee may. *Invariants*: neither makes assumptions that they are there to
//! check, such as an aligned stack; what was witnessed is per thread.

use std::arch::naked_asm;
use std::cell::RefCell;
use std::ffi::c_void;

use columba_jit_core::backend::EntryFn;

/// The registers that belong to the caller: rbx, rbp, r12..r15.
const KEPT: [&str; 6] = ["rbx", "rbp", "r12", "r13", "r14", "r15"];
const MARKS: [u64; 6] = [
    0x1badcafe_00000b01,
    0x2badcafe_00000b02,
    0x3badcafe_00000b03,
    0x4badcafe_00000b04,
    0x5badcafe_00000b05,
    0x6badcafe_00000b06,
];

#[repr(C)]
struct Entering {
    function: EntryFn,
    ctx: *const c_void,
    ts: *mut c_void,
    frame: *mut c_void,
    out: *mut u64,
    number: i64,
    status: i64,
    kept: [u64; 6],
    before: u64,
    after: u64,
}

/// Calls a compiled function and checks that it kept what belongs to its caller.
///
/// # Safety
/// As for `function` itself.
pub(crate) unsafe fn enter(
    function: EntryFn,
    ctx: *const c_void,
    ts: *mut c_void,
    frame: *mut c_void,
    out: *mut u64,
    number: i64,
) -> i64 {
    let mut entering = Entering { function, ctx, ts, frame, out, number, status: 0, kept: MARKS, before: 0, after: 0 };
    // SAFETY: by the caller's promise; the trampoline keeps its own caller's registers.
    unsafe { trampoline(&mut entering) };
    assert_eq!(entering.after, entering.before, "the stack pointer is another after the call");
    for (register, (kept, mark)) in KEPT.iter().zip(entering.kept.iter().zip(MARKS)) {
        assert_eq!(*kept, mark, "the callee-saved register {register} was not kept");
    }
    entering.status
}

#[unsafe(naked)]
unsafe extern "C" fn trampoline(entering: *mut Entering) {
    naked_asm!(
        "push rbx",
        "push rbp",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "push rdi",
        "mov [rdi + 104], rsp",
        "mov rax, [rdi]",
        "mov rsi, [rdi + 16]",
        "mov rdx, [rdi + 24]",
        "mov rcx, [rdi + 32]",
        "mov r8, [rdi + 40]",
        "mov rbx, [rdi + 56]",
        "mov rbp, [rdi + 64]",
        "mov r12, [rdi + 72]",
        "mov r13, [rdi + 80]",
        "mov r14, [rdi + 88]",
        "mov r15, [rdi + 96]",
        "mov rdi, [rdi + 8]",
        "mov r9, -1",
        "mov r10, r9",
        "mov r11, r9",
        "pcmpeqd xmm0, xmm0",
        "pcmpeqd xmm1, xmm1",
        "pcmpeqd xmm2, xmm2",
        "pcmpeqd xmm7, xmm7",
        "pcmpeqd xmm8, xmm8",
        "pcmpeqd xmm15, xmm15",
        "call rax",
        "mov rdi, [rsp]",
        "mov [rdi + 48], rax",
        "mov [rdi + 56], rbx",
        "mov [rdi + 64], rbp",
        "mov [rdi + 72], r12",
        "mov [rdi + 80], r13",
        "mov [rdi + 88], r14",
        "mov [rdi + 96], r15",
        "mov [rdi + 112], rsp",
        "pop rdi",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbp",
        "pop rbx",
        "ret",
    )
}

/// What a call of [`witness`] saw.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// rdi, rsi, rdx, rcx, r8, r9.
    pub ints: [u64; 6],
    /// xmm0..xmm7, low halves.
    pub floats: [u64; 8],
    /// The stack pointer before the call.
    pub stack: u64,
    /// The words at it: arguments without a register.
    pub above: [u64; 12],
}

#[derive(Default)]
struct Witnessed {
    seen: Vec<Seen>,
    /// Results of the calls to come, in order; 0 beyond.
    results: Vec<u64>,
}

thread_local! {
    static WITNESSED: RefCell<Witnessed> = RefCell::default();
}

/// Forgets what was seen; the next calls give these results.
pub(crate) fn expect_calls(results: &[u64]) {
    WITNESSED.set(Witnessed { seen: Vec::new(), results: results.to_vec() });
}

/// What was seen since [`expect_calls`].
pub(crate) fn seen() -> Vec<Seen> {
    WITNESSED.take().seen
}

extern "C" fn note(seen: *const [u64; 14], stack: *const u64) -> u64 {
    // SAFETY: `witness` has just written these words.
    let registers = unsafe { *seen };
    let mut noted = Seen { stack: stack as u64, ..Seen::default() };
    noted.ints.copy_from_slice(&registers[..6]);
    noted.floats.copy_from_slice(&registers[6..]);
    // SAFETY: the caller's frames are above, at least the trampoline's own.
    noted.above = unsafe { stack.cast::<[u64; 12]>().read_unaligned() };
    WITNESSED.with_borrow_mut(|witnessed| {
        let result = witnessed.results.get(witnessed.seen.len()).copied().unwrap_or(0);
        witnessed.seen.push(noted);
        result
    })
}

/// A callee of any signature.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn witness() -> u64 {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "sub rsp, 112",
        "and rsp, -16",
        "mov [rsp], rdi",
        "mov [rsp + 8], rsi",
        "mov [rsp + 16], rdx",
        "mov [rsp + 24], rcx",
        "mov [rsp + 32], r8",
        "mov [rsp + 40], r9",
        "movsd [rsp + 48], xmm0",
        "movsd [rsp + 56], xmm1",
        "movsd [rsp + 64], xmm2",
        "movsd [rsp + 72], xmm3",
        "movsd [rsp + 80], xmm4",
        "movsd [rsp + 88], xmm5",
        "movsd [rsp + 96], xmm6",
        "movsd [rsp + 104], xmm7",
        "mov rdi, rsp",
        "lea rsi, [rbp + 16]",
        "call {note}",
        "mov rcx, -1",
        "mov rdx, rcx",
        "mov rsi, rcx",
        "mov rdi, rcx",
        "mov r8, rcx",
        "mov r9, rcx",
        "mov r10, rcx",
        "mov r11, rcx",
        "pcmpeqd xmm1, xmm1",
        "movaps xmm2, xmm1",
        "movaps xmm3, xmm1",
        "movaps xmm4, xmm1",
        "movaps xmm5, xmm1",
        "movaps xmm6, xmm1",
        "movaps xmm7, xmm1",
        "movaps xmm8, xmm1",
        "movaps xmm9, xmm1",
        "movaps xmm10, xmm1",
        "movaps xmm11, xmm1",
        "movaps xmm12, xmm1",
        "movaps xmm13, xmm1",
        "movaps xmm14, xmm1",
        "movaps xmm15, xmm1",
        "movq xmm0, rax",
        "mov rsp, rbp",
        "pop rbp",
        "ret",
        note = sym note,
    )
}

/// The address of [`witness`], for resolvers.
pub(crate) fn witness_address() -> u64 {
    witness as unsafe extern "C" fn() -> u64 as usize as u64
}
