//! Calls from cold blocks that change no register.
//!
//! *Problem*: every call of C clobbers all float registers and most others, and Cranelift's register allocator knows no cold
//! blocks: a float that lives across a call that is hardly ever made is kept in memory on the hot path as well. *Method*: in cold
//! blocks of functions that pass floats from block to block helpers are called with Cranelift's convention `PreserveAll`, through a thunk that saves what C functions may change.
//! That convention takes arguments where C takes them, and gives no results. So behind the helper's own arguments the thunk
//! gets two words, which its entries find in different registers, depending on how many there are before them: the helper's
//! address, and where to store the results.
//! *Invariants*: a float register holds a float, so that its lower half is all of it; x86-64 on Linux only.

use columba_jit_core::emitter::{MachineTy, Signature};
use cranelift_codegen::ir::{AbiParam, types};
use cranelift_codegen::isa::CallConv;

/// Bytes of the results: a word, then a float.
pub(crate) const RESULTS: u32 = 16;

/// Where in them the result of a type is.
pub(crate) fn result_offset(ty: MachineTy) -> i32 {
    if ty == MachineTy::F64 { 8 } else { 0 }
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod thunk {
    macro_rules! entries {
        ($($name:ident $label:literal $target:literal $results:literal),*) => {
            unsafe extern "C" {
                $(fn $name();)*
            }
            pub(super) const ENTRIES: &[unsafe extern "C" fn()] = &[$($name),*];
            std::arch::global_asm!(
                $(concat!(".globl ", $label), concat!(".hidden ", $label), concat!($label, ":"),
                "push rbp",
                "mov rbp, rsp",
                "push rax",
                concat!("push ", $results),
                concat!("mov rax, ", $target),
                "jmp 2f",)*
                "2:",
                ".irp r, rcx, rdx, rsi, rdi, r8, r9, r10, r11",
                "push \\r",
                ".endr",
                "sub rsp, 128",
                ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
                "movsd [rsp + 8 * \\n], xmm\\n",
                ".endr",
                "call rax",
                "mov rcx, [rbp - 16]",
                "mov [rcx], rax",
                "movsd [rcx + 8], xmm0",
                ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
                "movsd xmm\\n, [rsp + 8 * \\n]",
                ".endr",
                "add rsp, 128",
                ".irp r, r11, r10, r9, r8, rdi, rsi, rdx, rcx",
                "pop \\r",
                ".endr",
                "add rsp, 8",
                "pop rax",
                "pop rbp",
                "ret",
            );
        };
    }
    entries!(
        columba_cranelift_preserving_0 "columba_cranelift_preserving_0" "rdi" "rsi",
        columba_cranelift_preserving_1 "columba_cranelift_preserving_1" "rsi" "rdx",
        columba_cranelift_preserving_2 "columba_cranelift_preserving_2" "rdx" "rcx",
        columba_cranelift_preserving_3 "columba_cranelift_preserving_3" "rcx" "r8",
        columba_cranelift_preserving_4 "columba_cranelift_preserving_4" "r8" "r9"
    );
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
mod thunk {
    pub(super) const ENTRIES: &[unsafe extern "C" fn()] = &[];
}

/// The thunk for functions of this signature, if there is one.
pub(crate) fn thunk(signature: &Signature) -> Option<u64> {
    let words = signature.params.iter().filter(|param| **param != MachineTy::F64).count();
    let floats = signature.params.len() - words;
    let entry = thunk::ENTRIES.get(words).filter(|_| floats <= 8)?;
    Some(*entry as usize as u64)
}

/// The thunk's signature for functions of this one.
pub(crate) fn signature(signature: &Signature) -> cranelift_codegen::ir::Signature {
    let mut lowered = crate::abi::c_signature(&Signature { result: None, ..signature.clone() }, CallConv::PreserveAll);
    lowered.params.extend([AbiParam::new(types::I64); 2]);
    lowered
}
