//! `sovang receipt`

use crate::args::evidence::ReceiptArgs;
use crate::failure::Failure;
use crate::{output, qr, trusted};
use sovang::{Leaf, Ledger, Position, RawEvent, Receipt};

pub(crate) fn run(args: &ReceiptArgs) -> Result<(), Failure> {
    qr::check_paths(&args.qr)?;
    let policy = args.policy.as_deref().map(trusted::policy).transpose()?.map(|policy| policy.with_now(trusted::now()));
    let reader = Ledger::<RawEvent>::open_read_only(&args.dir)?;
    let receipt = reader.receipt(Position(args.position), policy.as_ref())?;
    let whole = receipt.to_string();
    if args.output.is_some() || args.qr.is_empty() {
        output::document(args.output.as_deref(), &whole)?;
    }
    if args.qr.is_empty() {
        return Ok(());
    }
    qr::write_receipt(&args.qr, &whole, || Ok(with_hash_alone(&receipt).to_string()))
}

/// The same proof, which holds the record's hash in place of the record.
fn with_hash_alone(receipt: &Receipt) -> Receipt {
    let proof = receipt.proof();
    let hash = receipt.leaf().record_hash(receipt.position());
    Receipt::of(receipt.position(), Leaf::Hash(hash), proof.hashes.clone(), proof.checkpoint.clone())
}
