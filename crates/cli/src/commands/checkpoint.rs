//! `sovang checkpoint`

use crate::args::evidence::CheckpointArgs;
use crate::failure::Failure;
use crate::{keys, output, progress};
use sovang::Checkpoints;

pub(crate) fn run(args: &CheckpointArgs) -> Result<(), Failure> {
    let checkpoints = Checkpoints::of_directory(&args.dir)?;
    let key = keys::open(&args.key)?;
    let bar = progress::bytes("hashing", 0);
    let signed = checkpoints.sign_with(&[&key], &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let signed = signed?;
    output::document(args.output.as_deref(), &signed.to_string())?;
    output::tell(&format!("signed size {}, root {}", signed.head().size, signed.head().root.to_base64()));
    Ok(())
}
