//! A window as its machine code has it: read back from the program, and
//! compared with what it has to be.

/// One of the copies that the compiler has inlined.
#[derive(Clone, Copy, Debug)]
pub struct Copy {
    /// The store of the marker.
    pub enter: usize,
    /// The first instruction after the system call.
    pub end: usize,
    /// The number of the register that holds the line: rax, rcx, rdx, rbx, rsp,
    /// rbp, rsi, rdi, r8 … r15.
    pub line: u8,
}

/// The instructions from `enter` up to and including the system call.
pub const INSTRUCTIONS: usize = 7;
/// Those that follow it and clear what `enter` and `retry` have set.
pub const CLEARING: usize = 2;

/// Reads code of this program.
fn code(at: usize, length: usize) -> &'static [u8] {
    // SAFETY: the text of this program, which is mapped and never written.
    unsafe { core::slice::from_raw_parts(core::ptr::with_exposed_provenance(at), length) }
}

fn offset_at(at: usize) -> usize {
    let bytes = code(at, 4).try_into().expect("four bytes");
    (i32::from_le_bytes(bytes) as isize).cast_unsigned()
}

/// The length of `opcode [register + displacement]` without what follows: a
/// register like r12 or rsp needs one byte more.
fn operand(register: u8) -> usize {
    if register & 7 == 4 { 2 } else { 1 }
}

impl Copy {
    /// Follows the window from its descriptor (first instruction, length, abort
    /// address).
    ///
    /// # Panics
    ///
    /// If it is not, instruction for instruction, what `window/arch/x86_64.rs` says.
    pub fn read((start, length, abort): (usize, usize, usize)) -> Copy {
        let end = start + length;
        // start: cmp dword ptr [line], 1
        let extended = code(start, 1)[0] == 0x41;
        let at = start + usize::from(extended);
        let [opcode, mode] = code(at, 2) else { unreachable!("two bytes") };
        assert_eq!((*opcode, mode & 0o070), (0x83, 0o070), "cmp dword ptr, byte");
        let line = (mode & 7) | u8::from(extended) << 3;
        // je stopped; syscall
        assert_eq!(code(end - 8, 2), [0x0f, 0x84], "je");
        assert_eq!(code(end - 2, 2), [0x0f, 0x05], "syscall");
        let compared = 2 + operand(line) + usize::from(extended) + usize::from(line & 7 == 5);
        assert_eq!(length, compared + 8, "cmp, je, syscall and nothing else");
        // retry: mov r15, [line + 8]; lea rcx, [rip + descriptor]; mov [r15], rcx
        assert_eq!(code(start - 3, 3), [0x49, 0x89, 0x0f], "mov [r15], rcx");
        assert_eq!(code(start - 10, 3), [0x48, 0x8d, 0x0d], "lea rcx, [rip + …]");
        let retry = start - 10 - (3 + operand(line));
        assert_eq!(code(retry, 2), [if extended { 0x4d } else { 0x4c }, 0x8b], "mov r15");
        let descriptor = (start - 3).wrapping_add(offset_at(start - 7));
        let words: &[u64] =
            // SAFETY: the descriptor that the code names; 32 bytes, aligned.
            unsafe { core::slice::from_raw_parts(core::ptr::with_exposed_provenance(descriptor), 4) };
        assert_eq!(words, [0, start as u64, length as u64, abort as u64], "its own descriptor");
        // enter: mov dword ptr [line + 4], 1
        let enter = retry - (6 + operand(line) + usize::from(extended));
        assert_eq!(code(retry - 5, 5), [4, 1, 0, 0, 0], "mov dword ptr [line + 4], 1");
        // abort: the signature, then jmp retry
        assert_eq!(code(abort - 7, 7), [0x0f, 0xb9, 0x3d, 0x53, 0x30, 0x05, 0x53], "signature");
        let target = match code(abort, 1)[0] {
            0xe9 => (abort + 5).wrapping_add(offset_at(abort + 1)),
            0xeb => {
                let offset = isize::from(code(abort + 1, 1)[0].cast_signed());
                (abort + 2).wrapping_add_signed(offset)
            }
            other => panic!("jmp retry: {other:#x}"),
        };
        assert_eq!(target, retry, "abort goes to retry");
        // stopped: movabs rax, STOPPED; jmp end
        let stopped = (end - 2).wrapping_add(offset_at(end - 6));
        assert_eq!(code(stopped, 10), [0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0x80], "stopped");
        Copy { enter, end, line }
    }
}
