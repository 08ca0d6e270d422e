"""Programs that we did not write, on what `sovang` writes: a witness cosigns it and refuses what it must, two verifiers accept its proofs and
tiles and refuse tampered ones, a decoder reads its QR codes, OpenSSL stamps its checkpoints.

    SOVANG=target/release/sovang VENV/bin/python -m unittest discover -s tests/evidence/foreign

aics-witness and aics-tlog (C2SP tlog-witness, tlog-tiles), proofbundle (C2SP tlog-proof) and zxing-cpp, pinned in requirements.txt. Nothing goes
over a network: the witness is called as a library.
"""

import json
import logging
import os
import random
import shutil
import subprocess
import tempfile
import unittest
from base64 import b64decode, b64encode
from pathlib import Path

import zxingcpp
from aics_tlog import (
    Checkpoint,
    FileSystemTileReader,
    TileMissingError,
    TileVerificationError,
    audit_tiles,
    consistency_proof_from_tiles,
    inclusion_proof_from_tiles,
    parse_checkpoint,
    parse_note,
    parse_vkey,
    sign_checkpoint,
    verify_consistency,
    verify_inclusion,
    verify_note,
)
from aics_tlog.hashing import leaf_hash
from aics_witness import LogConfig, Witness, WitnessError, WitnessStore
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from PIL import Image
from proofbundle.tlogproof import verify_tlog_proof

SOVANG = os.environ.get("SOVANG", "target/release/sovang")
ORIGIN = "example.org/foreign"
WITNESS = "witness.example.org/w1"
# The witness tells its operator of each fork that it refuses.
logging.getLogger("aics_witness").setLevel(logging.CRITICAL)


def sovang(*arguments, data=None, code=0):
    done = subprocess.run([SOVANG, *map(str, arguments)], input=data, capture_output=True)
    if done.returncode != code:
        raise AssertionError(f"sovang {arguments}: exit {done.returncode}, not {code}\n{done.stderr.decode()}")
    return done.stdout.decode()


def events(first, end):
    unit = {"type": "unit_defined", "occurred_on": "2013-12-27", "actor": "clerk", "unit": "w", "name": "W", "kind": "ward",
            "valid_from": "2013-12-27"}
    for number in range(first, end):
        model = {"type": "model_registered", "occurred_on": "2024-02-01", "actor": "clerk", "model": f"M-{number}", "title": f"Vườn {number}",
                 "subject_kind": "collective", "unit": "w", "field": "economy", "year": 2024}
        yield json.dumps(unit if number == 0 else model, ensure_ascii=False)


class Book:
    """A ledger, its key, and the files that leave it."""

    def __init__(self, home):
        self.home, self.dir, self.key, self.size = home, home / "book", home / "log.key", 0
        sovang("init", self.dir, "--origin", ORIGIN)
        self.vkey = sovang("keygen", "-o", self.key, "--name", ORIGIN, "--no-passphrase").strip().split("\n")[-1]

    def grow_to(self, size):
        sovang("import", self.dir, "-", data="\n".join(events(self.size, size)).encode())
        self.size = size

    def sign(self):
        sovang("checkpoint", self.dir, "--key", self.key, "-o", self.home / "checkpoint")
        return self.home.joinpath("checkpoint").read_text()

    def growth(self, since):
        sovang("prove", self.dir, "--since", since, "-o", self.home / "growth")
        return self.home.joinpath("growth").read_bytes()

    def secret(self):
        pem = self.key.read_bytes()
        return load_pem_private_key(pem[pem.index(b"-----BEGIN") :], None)


class Case(unittest.TestCase):
    def setUp(self):
        self.home = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.home)
        self.book = Book(self.home)


class TestWitness(Case):
    """aics-witness cosigns first contact and two growths, and refuses a stale size and two forks."""

    def setUp(self):
        super().setUp()
        store = WitnessStore(self.home / "witness.db", create=True)
        self.addCleanup(store.close)
        self.now = 1_790_000_000
        self.witness = Witness(WITNESS, Ed25519PrivateKey.from_private_bytes(bytes(range(32))), store,
                               [LogConfig(ORIGIN, (parse_vkey(self.book.vkey),))], clock=lambda: self.now)
        self.policy = self.home / "policy"
        self.policy.write_text(f"log {self.book.vkey}\nwitness w1 {self.witness.vkey_text}\nquorum w1\n")

    def cosigned(self, since):
        """The witness's answer to the growth, kept by the ledger; what `check` says of the checkpoint then."""
        response = self.home / "response"
        self.now += 60
        response.write_bytes(self.witness.add_checkpoint(self.book.growth(since)))
        sovang("witness", self.book.dir, "--policy", self.policy, "--witness", "w1", "--response", response)
        kept = self.book.dir / "checkpoints" / str(self.book.size)
        said = json.loads(sovang("check", kept, "--policy", self.policy, "--json"))
        self.assertEqual([(w["name"], w["time"]) for w in said["files"][0]["witnesses"]], [("w1", self.now)])

    def refused(self, body):
        with self.assertRaises(WitnessError) as raised:
            self.witness.add_checkpoint(body)
        return raised.exception.status

    def fork(self, size, root):
        """What the log's key would sign in a thief's hands: our own command refuses to."""
        return sign_checkpoint(Checkpoint(ORIGIN, size, root, ()), self.book.secret(), ORIGIN).serialise()

    def test_first_contact_two_growths_and_refusals(self):
        old = 0
        for size in (5, 300, 777):
            self.book.grow_to(size)
            self.book.sign()
            self.cosigned(old)
            old = size
        self.assertEqual(self.refused(self.book.growth(5)), 409, "a stale size")

        other = self.fork(777, b"\x07" * 32)
        self.assertEqual(self.refused(f"old 777\n\n{other}".encode()), 422, "a fork of one size")
        self.book.grow_to(800)
        self.book.sign()
        grown = self.book.growth(777).decode()
        proof, _ = grown.split("\n\n", 1)
        other = self.fork(800, b"\x08" * 32)
        self.assertEqual(self.refused(f"{proof}\n\n{other}".encode()), 422, "a fork that claims to have grown")
        self.cosigned(777)

    def test_the_files_are_exchanged(self):
        request, response = self.home / "request", self.home / "response"
        for size in (3, 9):
            self.book.grow_to(size)
            self.book.sign()
            self.now += 60
            sovang("witness", self.book.dir, "--policy", self.policy, "--witness", "w1", "--request-out", request)
            response.write_bytes(self.witness.add_checkpoint(request.read_bytes()))
            sovang("witness", self.book.dir, "--policy", self.policy, "--witness", "w1", "--response", response)
        receipt = self.home / "receipt"
        sovang("receipt", self.book.dir, "--position", 4, "--policy", self.policy, "-o", receipt)
        sovang("check", receipt, "--policy", self.policy)


class TestProofs(Case):
    """proofbundle and aics-tlog verify what we sign and prove."""

    def setUp(self):
        super().setUp()
        self.book.grow_to(600)
        self.checkpoint = self.book.sign()

    def verdict(self, text, entry):
        return verify_tlog_proof(text, entry, self.book.vkey, expected_origin=ORIGIN)["ok"]

    def test_checkpoints(self):
        note = parse_note(self.checkpoint)
        self.assertTrue(verify_note(note, [parse_vkey(self.book.vkey)]))
        self.assertEqual(parse_checkpoint(note.text).size, 600)

    def test_proofs_hold_and_tampered_ones_do_not(self):
        chance = random.Random("tamper")
        proof = self.home / "proof"
        for position in (0, 1, 255, 256, 511, 512, 598, 599):
            sovang("prove", self.book.dir, "--position", position, "-o", proof)
            text = proof.read_text()
            entry = b64decode(text.split("\n")[1].removeprefix("extra "))
            self.assertEqual((entry[0], len(entry)), (1, 33))
            self.assertTrue(self.verdict(text, entry[1:]), position)
            self.assertFalse(self.verdict(text, entry[1:-1] + bytes([entry[-1] ^ 1])), position)
            lines = text.split("\n")
            hashes = range(3, lines.index("", 3))
            for at in chance.sample(hashes, 3):
                changed = bytearray(b64decode(lines[at]))
                changed[chance.randrange(32)] ^= 1
                tampered = lines[:at] + [b64encode(changed).decode()] + lines[at + 1 :]
                self.assertFalse(self.verdict("\n".join(tampered), entry[1:]), (position, at))
            self.assertFalse(self.verdict(text.replace(f"index {position}\n", f"index {position + 1}\n"), entry[1:]))
            self.assertFalse(self.verdict(text.replace("\n600\n", "\n601\n"), entry[1:]))

    def test_growth(self):
        old = parse_checkpoint(parse_note(self.checkpoint).text)
        self.book.grow_to(1000)
        new = parse_checkpoint(parse_note(self.book.sign()).text)
        lines = self.book.growth(600).decode().split("\n\n")[0].split("\n")
        self.assertEqual(lines[0], "old 600")
        proof = [b64decode(line) for line in lines[1:]]
        self.assertTrue(verify_consistency(600, 1000, old.root, new.root, proof))
        proof[2] = proof[2][:-1] + bytes([proof[2][-1] ^ 1])
        self.assertFalse(verify_consistency(600, 1000, old.root, new.root, proof))


class TestTiles(Case):
    """aics-tlog reads the export: every tile and bundle, and proofs from tiles alone."""

    def test_tiles(self):
        out, sizes = self.home / "public", (300, 1000)
        roots = {}
        for size in sizes:
            self.book.grow_to(size)
            self.book.sign()
            sovang("tiles", self.book.dir, "-o", out)
            note = parse_note(out.joinpath("checkpoint").read_text())
            self.assertTrue(verify_note(note, [parse_vkey(self.book.vkey)]))
            roots[size] = parse_checkpoint(note.text).root
            report = audit_tiles(FileSystemTileReader(out), size, roots[size])
            self.assertEqual(report.bundles, -(-size // 256))
        reader = FileSystemTileReader(out)
        for position in (0, 299, 700, 999):
            proof = inclusion_proof_from_tiles(reader, position, 1000)
            index, width = divmod(position, 256)
            bundle = out.joinpath("tile/entries", f"{index:03}" if index < 3 else f"{index:03}.p/232").read_bytes()
            entry = bundle[width * 34 + 2 : width * 34 + 34]
            self.assertTrue(verify_inclusion(leaf_hash(entry), position, 1000, proof, roots[1000]))
        proof = consistency_proof_from_tiles(reader, 300, 1000)
        self.assertTrue(verify_consistency(300, 1000, roots[300], roots[1000], proof))

        for damaged in ("tile/0/001", "tile/entries/002", "tile/0/003.p/232"):
            path = out / damaged
            good = path.read_bytes()
            path.write_bytes(good[:40] + bytes([good[40] ^ 1]) + good[41:])
            with self.assertRaises((TileVerificationError, TileMissingError)):
                audit_tiles(FileSystemTileReader(out), 1000, roots[1000])
            path.write_bytes(good)


@unittest.skipUnless(shutil.which("openssl"), "no openssl")
class TestTimeStamps(Case):
    """OpenSSL reads our request and answers as an authority; we check its answer, it checks ours."""

    def openssl(self, *arguments):
        done = subprocess.run(["openssl", *map(str, arguments)], cwd=self.home, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.decode()

    def authority(self, name, *key):
        """A certificate of its own, which may stamp time."""
        usage = ["basicConstraints=critical,CA:false", "keyUsage=critical,digitalSignature", "extendedKeyUsage=critical,timeStamping"]
        extensions = [word for line in usage for word in ("-addext", line)]
        self.openssl("req", "-x509", "-nodes", "-newkey", *key, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", 2, "-subj", f"/CN={name}",
                     *extensions)
        digests = "digests = sha256\nsigner_digest = sha256\ness_cert_id_alg = sha256\naccuracy = secs:1\n"
        self.home.joinpath(f"{name}.cnf").write_text(f"[tsa]\ndefault_tsa = t\n[t]\nserial = serial\ndefault_policy = 1.2.3.4.1\n{digests}")
        self.home.joinpath("serial").write_text("01\n")

    def test_a_stamped_checkpoint(self):
        self.book.grow_to(20)
        self.book.sign()
        checkpoint, request, response = self.home / "checkpoint", self.home / "book.tsq", self.home / "book.tsr"
        self.home.joinpath("text").write_text(checkpoint.read_text().split("\n\n")[0] + "\n")
        sovang("stamp", self.book.dir, "--request", request)
        said = self.openssl("ts", "-query", "-in", request, "-text")
        self.assertIn("Hash Algorithm: sha256", said)
        self.assertIn("Certificate required: yes", said)
        for name, *key in (("rsa", "rsa:2048"), ("p256", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")):
            self.authority(name, *key)
            certificate = self.home / f"{name}.pem"
            self.openssl("ts", "-reply", "-config", f"{name}.cnf", "-queryfile", request, "-signer", certificate, "-inkey", f"{name}.key", "-out", response)
            self.openssl("ts", "-verify", "-queryfile", request, "-in", response, "-CAfile", certificate)
            self.openssl("ts", "-verify", "-data", "text", "-in", response, "-CAfile", certificate)
            sovang("stamp", self.book.dir, "--response", response, "--tsa-cert", certificate)
            options = ["--vkey", self.book.vkey, "--token", response, "--tsa-cert", certificate]
            sovang("check", checkpoint, *options)
            bytes_ = bytearray(response.read_bytes())
            bytes_[-3] ^= 1
            response.write_bytes(bytes_)
            sovang("check", checkpoint, *options, code=1)
        self.assertEqual(len(list(self.book.dir.joinpath("checkpoints").glob("20.*.tsr"))), 2)


class TestCodes(Case):
    """zxing-cpp reads a receipt off its picture."""

    def test_a_receipt(self):
        self.book.grow_to(40)
        self.book.sign()
        receipt, picture = self.home / "receipt", self.home / "receipt.png"
        sovang("receipt", self.book.dir, "--position", 7, "-o", receipt, "--qr", picture)
        [found] = zxingcpp.read_barcodes(Image.open(picture).convert("L"))
        self.assertEqual(bytes(found.bytes), receipt.read_bytes())
        read = self.home / "read"
        read.write_bytes(found.text.encode())
        sovang("check", read, "--vkey", self.book.vkey)


if __name__ == "__main__":
    unittest.main()
