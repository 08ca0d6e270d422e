//! `sovang witness`: cosignatures of the newest checkpoint, by files that somebody carries or over the network.

#[cfg(feature = "http")]
mod post;

use crate::args::evidence::WitnessArgs;
use crate::failure::{self, Failure};
use crate::{output, trusted};
use sovang::evidence::{PolicyWitness, verify_checkpoint};
use sovang::{Checkpoint, Checkpoints, Ledger, Policy, RawEvent, Reader, Size, VerifierKey};
use std::process::ExitCode;

pub(crate) fn run(args: &WitnessArgs) -> Result<ExitCode, Failure> {
    let policy = trusted::policy(&args.policy)?;
    let witnesses = chosen(&policy, &args.names)?;
    let reader = Ledger::<RawEvent>::open_read_only(&args.dir)?;
    let desk = Desk { reader, checkpoints: Checkpoints::of_directory(&args.dir)?, since: args.since.map(Size) };
    let code = if let Some(path) = &args.request_out {
        let request = desk.request(desk.since(&witnesses)?)?;
        output::document(Some(path), &request)?;
        0
    } else if let Some(path) = &args.response {
        let answer = std::fs::read(path).map_err(|e| Failure::file(&e, "read", &path.display().to_string()))?;
        desk.take(&answer, &witnesses)?;
        0
    } else if args.post {
        desk.post(&witnesses)?
    } else {
        return Err(Failure::input("how are the witnesses asked?")
            .advise("--request-out FILE and --response FILE for files that somebody carries, --post over the network"));
    };
    if args.request_out.is_none() {
        desk.say_whether_met(&policy)?;
    }
    Ok(ExitCode::from(code))
}

/// The witnesses of the policy, or those of them that were named.
fn chosen<'a>(policy: &'a Policy, names: &[String]) -> Result<Vec<&'a PolicyWitness>, Failure> {
    let known = || policy.witnesses().iter().map(|w| w.name.as_str()).collect::<Vec<_>>().join(", ");
    if policy.witnesses().is_empty() {
        return Err(Failure::input("the policy names no witness").advise("add a line `witness NAME VKEY URL`"));
    }
    if let Some(unknown) = names.iter().find(|name| !policy.witnesses().iter().any(|w| w.name == **name)) {
        return Err(Failure::input(format!("the policy has no witness {unknown:?}")).advise(&format!("it has {}", known())));
    }
    Ok(policy.witnesses().iter().filter(|w| names.is_empty() || names.contains(&w.name)).collect())
}

/// The ledger whose checkpoints are cosigned.
struct Desk {
    reader: Reader<RawEvent>,
    checkpoints: Checkpoints,
    since: Option<Size>,
}

impl Desk {
    fn newest(&self) -> Result<Checkpoint, Failure> {
        let newest = self.checkpoints.newest(|_| true)?;
        newest.ok_or_else(|| {
            Failure::input("there is no signed checkpoint yet").advise("sign one with `sovang checkpoint DIR --key KEYFILE`")
        })
    }
    /// The size from which a request that serves all of these witnesses starts.
    fn since(&self, witnesses: &[&PolicyWitness]) -> Result<Size, Failure> {
        if let Some(since) = self.since {
            return Ok(since);
        }
        let mut sizes = witnesses.iter().map(|w| self.checkpoints.last_cosigned(&w.key)).collect::<Result<Vec<_>, _>>()?;
        sizes.sort_unstable();
        sizes.dedup();
        match sizes[..] {
            [size] => Ok(size),
            _ => Err(Failure::input("the witnesses have seen different sizes last, so one request does not serve all")
                .advise("make one for each with --witness NAME")),
        }
    }
    /// The body of an add-checkpoint request.
    fn request(&self, since: Size) -> Result<String, Failure> {
        let newest = self.newest()?;
        if since > newest.head().size {
            return Err(ahead(since, newest.head().size));
        }
        Ok(self.reader.growth_to(since, newest)?.to_string())
    }
    fn take(&self, answer: &[u8], witnesses: &[&PolicyWitness]) -> Result<(), Failure> {
        let keys: Vec<VerifierKey> = witnesses.iter().map(|w| w.key.clone()).collect();
        for cosigned in self.checkpoints.take_cosignatures(answer, &keys, trusted::now())? {
            let name = witnesses.iter().find(|w| w.key == cosigned.witness).map_or("?", |w| &w.name);
            output::tell(&format!("{name} has cosigned size {}", cosigned.size));
        }
        Ok(())
    }
    fn say_whether_met(&self, policy: &Policy) -> Result<(), Failure> {
        let newest = self.newest()?;
        output::tell(&match verify_checkpoint(&newest, &policy.clone().with_now(trusted::now())) {
            Ok(_) => format!("the checkpoint of size {} meets the policy", newest.head().size),
            Err(error) => format!("the checkpoint of size {} does not meet the policy yet: {error}", newest.head().size),
        });
        Ok(())
    }
    #[cfg(not(feature = "http"))]
    fn post(&self, _: &[&PolicyWitness]) -> Result<u8, Failure> {
        Err(Failure::input("this program was built without its feature `http`")
            .advise("carry files with --request-out and --response, or build it with the feature"))
    }
    /// Asks each witness; the worst that came of it is the exit code, and the others are asked all the same.
    #[cfg(feature = "http")]
    fn post(&self, witnesses: &[&PolicyWitness]) -> Result<u8, Failure> {
        let newest = self.newest()?.head().size;
        let mut code = 0;
        for witness in witnesses {
            if let Err(failure) = self.post_to(witness, newest) {
                let failure = failure.within(&format!("witness {}", witness.name));
                // Something false outranks a network that is down.
                code = match (code, failure.code()) {
                    (failure::FOUND, _) | (_, failure::FOUND) => failure::FOUND,
                    (0, other) | (other, _) => other,
                };
                output::complain(failure.message());
            }
        }
        Ok(code)
    }
    #[cfg(feature = "http")]
    fn post_to(&self, witness: &PolicyWitness, newest: Size) -> Result<(), Failure> {
        let url = witness.url.as_deref().ok_or_else(|| {
            Failure::input("the policy says no URL of it").advise("add it to the line `witness NAME VKEY URL`, or carry files")
        })?;
        let since = self.since(&[witness])?;
        let answer = match post::add_checkpoint(url, &self.request(since)?)? {
            post::Answer::Lines(lines) => lines,
            // What we keep does not say what it has seen last; it does, and is asked once more, from there.
            post::Answer::Seen(seen) if seen <= newest && seen != since => match post::add_checkpoint(url, &self.request(seen)?)?
            {
                post::Answer::Lines(lines) => lines,
                post::Answer::Seen(again) if again > newest => return Err(ahead(again, newest)),
                post::Answer::Seen(again) => {
                    return Err(Failure::new(
                        failure::ENVIRONMENT,
                        format!("it said that it had seen size {seen}, and then {again}"),
                    )
                    .advise("somebody else may be asking for the same log; try again"));
                }
            },
            post::Answer::Seen(seen) if seen > newest => return Err(ahead(seen, newest)),
            post::Answer::Seen(seen) => {
                return Err(Failure::new(
                    failure::FOUND,
                    format!("it refuses a proof from size {seen}, which it says it has seen last"),
                ));
            }
        };
        self.take(&answer, &[witness])
    }
}

/// A witness knows more of this log than its own ledger does: never is a smaller head shown to it.
fn ahead(seen: Size, newest: Size) -> Failure {
    Failure::new(
        failure::FOUND,
        format!("it has seen this log at size {seen}, more than the newest checkpoint here, of size {newest}: this ledger was rolled back, or is a fork"),
    )
    .advise("nothing was asked for. Find the ledger that has those records, and the checkpoint of that size; sign nothing here meanwhile")
}
