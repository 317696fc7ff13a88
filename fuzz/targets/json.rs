//! Any body to any operation; the first byte chooses the operation.
#![no_main]

use libfuzzer_sys::fuzz_target;
use streamkeep_api::Operation;

fuzz_target!(|data: &[u8]| {
    let Some((choice, body)) = data.split_first() else { return };
    let operations: Vec<Operation> = Operation::all().collect();
    let operation = operations[usize::from(*choice) % operations.len()];
    // A refusal is an answer; only a panic is a fault.
    let _ = streamkeep_api::fuzz::parse(operation, body);
});
