use streamkeep_io::MemoryFile;

use super::*;
use crate::sample::Sample;

fn lines(bytes: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    dump(&MemoryFile::new(bytes), &mut |item| lines.push(item.to_string())).unwrap();
    lines
}

#[test]
fn a_sealed_volume() {
    let mut sample = Sample::new();
    sample.batch(&[(0, 100), (1, 200)]).batch(&[(0, 300)]).seal();
    let lines = lines(&sample.bytes);
    let text = lines.join("\n");
    let number = crate::sample::row(0, 1).number;
    let expected = format!("\
volume 0000000000000007.vol 766f6c756d6520757569642001020304 store 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a lane 2 epoch 3 created 1795000000.000
        4096 batch 0 of 4096 bytes, 5 records, durable up to 4096
        4160   key 5 of stream 00000000000000000000000000000000 under stream key 1
        4288   fragment {number} of stream 00000000000000000000000000000000: 100 bytes, producer time 1794999999.500, 2000 ms, 50 frames, starts with a key frame, key 5");
    assert!(text.starts_with(&expected), "{text}");
    let kinds: Vec<&str> = lines
        .iter()
        .map(|line| line.split_whitespace().find(|word| word.parse::<u64>().is_err()).unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "volume", "batch", "key", "fragment", "key", "fragment", "padding", "batch",
            "fragment", "padding", "end", "footer,", "run", "run"
        ]
    );
}

#[test]
fn damage_and_a_torn_tail() {
    let mut sample = Sample::small();
    let (second, third) = (sample.batches[1].0 as usize, sample.batches[2].0 as usize);
    sample.bytes[second] ^= 1;
    sample.bytes[third + 70] ^= 1;
    let lines = lines(&sample.bytes);
    let at = lines.iter().position(|line| line.contains("damage up to")).unwrap();
    assert!(lines[at].ends_with("3 fragments saved, 0 known lost"), "{}", lines[at]);
    assert_eq!(lines.iter().filter(|line| line.contains("saved fragment")).count(), 3);
    let end = lines.last().unwrap();
    assert!(end.contains("then a torn tail") && end.contains(&third.to_string()), "{end}");
}

#[test]
fn a_bad_footer_is_named() {
    let mut sample = Sample::small();
    sample.seal();
    let at = sample.bytes.len() - 2_000;
    sample.bytes[at] ^= 1;
    let lines = lines(&sample.bytes);
    let last = lines.last().unwrap();
    assert!(last.contains("no usable footer: trailer at") && last.ends_with("damaged"), "{last}");
    let missing = dump(&MemoryFile::new(b"SKVOM"), &mut |_| ());
    assert!(matches!(missing, Err(VolumeError::NotAVolume)));
}
