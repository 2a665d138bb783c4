//! Checks a target without libFuzzer: its corpus as it is, then changes of it for some seconds.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::Path,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// How long changes of the corpus are checked.
const CHANGES_FOR: Duration = Duration::from_secs(3);

/// What readers trip over: ends of things, signs, large numbers, and what is not UTF-8 or a character to show.
const ODD: [&[u8]; 16] = [
    b"",
    b"\0",
    b"\xff",
    b"\x1b",
    b"\n",
    b"\"",
    b"\\",
    b"/",
    b"/../",
    b"%",
    b"null",
    b"-1",
    b"18446744073709551616",
    b"1e9",
    b"\xc2\x9b",
    "\u{3a3}\u{130}".as_bytes(),
];

pub(crate) fn check(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let mut corpus = Vec::new();
    for entry in fs::read_dir(&folder).expect("every target has a corpus") {
        let file = entry.expect("the corpus is readable").path();
        let input = fs::read(&file).expect("the corpus is readable");
        run(check, &input, || format!("{}", file.display()));
        corpus.push(input);
    }
    assert!(!corpus.is_empty(), "the corpus of {target} is empty");
    // In the order of their content, so that the seed alone decides.
    corpus.sort();

    let seed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_nanos() as u64 | 1);
    let mut random = Random(seed);
    let (begun, mut count) = (Instant::now(), 0_u32);
    while begun.elapsed() < CHANGES_FOR {
        let input = changed(&corpus, &mut random);
        run(check, &input, || {
            let kept = std::env::temp_dir().join(format!("foundryhub-fuzz-{target}-{seed}"));
            fs::write(&kept, &input).expect("the folder for temporary files is writable");
            format!("{}, which belongs into the corpus: {:?}", kept.display(), String::from_utf8_lossy(&input))
        });
        count += 1;
    }
    eprintln!("{target}: {} of the corpus, {count} changes of it", corpus.len());
}

/// Names the input when it breaks a rule.
fn run(check: fn(&[u8]), input: &[u8], name: impl Fn() -> String) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(input))) {
        eprintln!("the input is {}", name());
        resume_unwind(panic);
    }
}

/// An input of the corpus with a few changes, some of them by parts of another.
fn changed(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(4) {
        let from = random.below(input.len() + 1);
        let to = from + random.below((input.len() - from).min(16) + 1);
        let other = &corpus[random.below(corpus.len())];
        let start = random.below(other.len() + 1);
        let part = &other[start..start + random.below((other.len() - start).min(64) + 1)];
        let new = match random.below(4) {
            0 => vec![random.below(256) as u8],
            1 => input[from..to].repeat(2),
            2 => part.to_vec(),
            _ => ODD[random.below(ODD.len())].to_vec(),
        };
        input.splice(from..to, new);
    }
    input
}

/// A xorshift generator: good enough, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}
