//! What the buffer keeps, over restarts, damage and want of room.

use super::*;

fn document(number: u64) -> LogDocument {
    let at = Timestamp::from_millisecond(1_000_000 + number as i64).unwrap();
    LogDocument { at, body: Bytes::from(format!("{{\"number\":{number}}}")) }
}

fn now() -> Timestamp {
    Timestamp::from_second(2_000).unwrap()
}

/// A buffer in a folder of its own, opened with another seed each time.
struct Folder {
    folder: tempfile::TempDir,
    bytes_max: u64,
    opened: u64,
}

impl Folder {
    fn new(bytes_max: u64) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), bytes_max, opened: 0 }
    }

    fn open(&mut self) -> Buffer {
        self.opened += 1;
        Buffer::open(self.folder.path(), self.bytes_max, self.opened).unwrap()
    }

    fn segments(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut segments: Vec<_> =
            paths.filter(|path| segment::number_in_name(path).is_some()).collect();
        segments.sort();
        segments
    }
}

fn put(buffer: &Buffer, numbers: std::ops::Range<u64>) {
    let documents: Vec<_> = numbers.map(document).collect();
    buffer.append(&documents, now()).unwrap();
}

fn bodies(read: &[Buffered]) -> Vec<u64> {
    let number = |it: &Buffered| -> serde_json::Value { serde_json::from_slice(&it.body).unwrap() };
    read.iter().map(|it| number(it)["number"].as_u64().unwrap()).collect()
}

fn read_all(buffer: &Buffer) -> Vec<Buffered> {
    let mut all = Vec::new();
    loop {
        let read = buffer.read(7, usize::MAX).unwrap();
        if read.is_empty() {
            return all;
        }
        all.extend(read);
    }
}

#[test]
fn documents_are_read_in_their_order_and_once() {
    let mut folder = Folder::new(1 << 20);
    let buffer = folder.open();
    assert_eq!(buffer.read(10, 1 << 20).unwrap(), []);
    put(&buffer, 0..20);
    assert_eq!(bodies(&buffer.read(5, usize::MAX).unwrap()), [0, 1, 2, 3, 4]);
    assert_eq!(bodies(&buffer.read(5, 1).unwrap()), [5]);
    assert_eq!(bodies(&read_all(&buffer)), (6..20).collect::<Vec<_>>());
    assert_eq!(buffer.stats().documents, 20);
    assert_eq!(buffer.stats().oldest_at, Some(document(0).at));
    buffer.let_go(12).unwrap();
    assert_eq!(buffer.stats().documents, 8);
    buffer.rewind().unwrap();
    assert_eq!(buffer.stats().oldest_at, Some(document(12).at));
    assert_eq!(bodies(&read_all(&buffer)), (12..20).collect::<Vec<_>>());
    buffer.let_go(20).unwrap();
    assert_eq!((buffer.stats().documents, buffer.stats().oldest_at), (0, None));
}

#[test]
fn what_was_not_let_go_of_is_there_again_under_the_same_ids() {
    let mut folder = Folder::new(1 << 20);
    let buffer = folder.open();
    put(&buffer, 0..5);
    let before = read_all(&buffer);
    buffer.let_go(2).unwrap();
    drop(buffer);

    let buffer = folder.open();
    assert_eq!(buffer.stats().oldest_at, Some(document(2).at));
    put(&buffer, 5..8);
    let after = read_all(&buffer);
    assert_eq!(bodies(&after), [2, 3, 4, 5, 6, 7]);
    assert_eq!(after[..3], before[2..]);
    let mut ids: Vec<_> = before.iter().chain(&after[3..]).map(|it| &it.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), 8);
    buffer.let_go(8).unwrap();
    drop(buffer);
    let buffer = folder.open();
    assert_eq!(read_all(&buffer), []);
    put(&buffer, 8..9);
    assert_eq!(read_all(&buffer)[0].number, 8);
}

#[test]
fn segments_that_are_let_go_of_are_removed() {
    let mut folder = Folder::new(64 << 10);
    let buffer = folder.open();
    for begin in (0..600).step_by(100) {
        put(&buffer, begin..begin + 100);
    }
    assert!(3 <= folder.segments().len(), "{:?}", folder.segments());
    read_all(&buffer);
    buffer.let_go(600).unwrap();
    assert_eq!(folder.segments().len(), 1);
    drop(buffer);
    let buffer = folder.open();
    assert_eq!(folder.segments().len(), 0);
    assert_eq!(buffer.stats().bytes, 0);
}

#[test]
fn full_buffer_drops_the_oldest_and_counts_them() {
    let mut folder = Folder::new(64 << 10);
    let buffer = folder.open();
    for begin in (0..6_000).step_by(50) {
        put(&buffer, begin..begin + 50);
        assert!(buffer.stats().bytes <= 64 << 10);
    }
    let stats = buffer.stats();
    assert_eq!(stats.dropped + stats.documents, 6_000);
    assert!(1_000 < stats.documents, "{stats:?}");
    assert_eq!(stats.oldest_at, Some(document(stats.dropped).at));
    assert_eq!(bodies(&read_all(&buffer)), (stats.dropped..6_000).collect::<Vec<_>>());
    drop(buffer);
    let buffer = folder.open();
    assert_eq!(bodies(&read_all(&buffer))[0], stats.dropped);
}

#[test]
fn what_was_read_is_not_counted_as_dropped() {
    let mut folder = Folder::new(64 << 10);
    let buffer = folder.open();
    put(&buffer, 0..50);
    assert_eq!(buffer.read(50, usize::MAX).unwrap().len(), 50);
    for begin in (50..4_050).step_by(50) {
        put(&buffer, begin..begin + 50);
    }
    let stats = buffer.stats();
    assert!(0 < stats.dropped);
    assert_eq!(stats.dropped + stats.documents, 4_000);
    // Letting go of what is not there any more changes nothing.
    buffer.let_go(50).unwrap();
    assert_eq!(buffer.stats(), stats);
}

#[test]
fn segment_cut_at_any_byte_gives_what_is_whole() {
    let mut folder = Folder::new(1 << 20);
    let buffer = folder.open();
    put(&buffer, 0..3);
    drop(buffer);
    let path = folder.segments().remove(0);
    let whole = fs::read(&path).unwrap();
    let frame = (whole.len() - 24) / 3;
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let buffer = folder.open();
        let kept = length.saturating_sub(24) / frame;
        assert_eq!(bodies(&read_all(&buffer)), (0..kept as u64).collect::<Vec<_>>(), "{length}");
        put(&buffer, 7..8);
        assert_eq!(bodies(&read_all(&buffer)), [7], "{length}");
        drop(buffer);
        folder.segments().iter().for_each(|path| fs::remove_file(path).unwrap());
    }
}

#[test]
fn segment_that_was_begun_in_vain_is_begun_again() {
    let mut folder = Folder::new(1 << 20);
    let buffer = folder.open();
    for _ in 0..2 {
        buffer.inner().begin_segment(folder.folder.path(), now()).unwrap();
        buffer.inner().active = None;
    }
    put(&buffer, 0..2);
    assert_eq!(read_all(&buffer).len(), 2);
    buffer.let_go(1).unwrap();
    assert_eq!((folder.segments().len(), buffer.inner().segments.len()), (1, 1));
    drop(buffer);
    assert_eq!(bodies(&read_all(&folder.open())), [1]);
}

#[test]
fn damage_is_told_and_what_is_before_it_is_kept() {
    let mut folder = Folder::new(1 << 20);
    let buffer = folder.open();
    put(&buffer, 0..3);
    drop(buffer);
    let path = folder.segments().remove(0);
    let mut bytes = fs::read(&path).unwrap();
    let frame = (bytes.len() - 24) / 3;
    bytes[24 + frame + 20] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let buffer = folder.open();
    assert_eq!(bodies(&read_all(&buffer)), [0]);
    assert_eq!(buffer.stats().damaged_bytes, 2 * frame as u64);
}

#[test]
fn position_that_cannot_be_read_begins_again() {
    let mut folder = Folder::new(1 << 20);
    let buffer = folder.open();
    put(&buffer, 0..3);
    read_all(&buffer);
    buffer.let_go(2).unwrap();
    drop(buffer);
    fs::write(folder.folder.path().join("position"), "x").unwrap();
    assert_eq!(bodies(&read_all(&folder.open())), [0, 1, 2]);
    fs::write(folder.folder.path().join("position"), "900").unwrap();
    assert_eq!(read_all(&folder.open()), []);
}

#[test]
fn numbers_are_not_given_again_before_the_position() {
    let mut folder = Folder::new(1 << 20);
    let buffer = folder.open();
    put(&buffer, 0..10);
    read_all(&buffer);
    buffer.let_go(8).unwrap();
    drop(buffer);
    let path = folder.segments().remove(0);
    let bytes = fs::read(&path).unwrap();
    let frame = (bytes.len() - 24) / 10;
    fs::write(&path, &bytes[..24 + 3 * frame]).unwrap();
    // The position was not written anew when these came in.
    put(&folder.open(), 10..14);
    let buffer = folder.open();
    assert_eq!(bodies(&read_all(&buffer)), [10, 11, 12, 13]);
    assert_eq!(buffer.stats().documents, 4);
}

/// Puts documents into two segments, harms the first one after `harm`, and looks at what is read.
#[track_caller]
fn check_harm(harm: impl FnOnce(&Path), read: &[u64], damaged_frames: u64) {
    let mut folder = Folder::new(1 << 20);
    put(&folder.open(), 0..5);
    let buffer = folder.open();
    put(&buffer, 5..8);
    let path = folder.segments().remove(0);
    let frame = (fs::metadata(&path).unwrap().len() - 24) / 5;
    harm(&path);
    assert_eq!(bodies(&read_all(&buffer)), read);
    let stats = buffer.stats();
    assert_eq!((stats.documents, stats.damaged_bytes), (read.len() as u64, damaged_frames * frame));
    assert_eq!(stats.oldest_at, Some(document(read[0]).at));
    buffer.let_go(8).unwrap();
    assert_eq!((folder.segments().len(), buffer.stats().documents), (1, 0));
}

#[test]
fn segment_that_is_damaged_meanwhile_holds_nothing_up() {
    let flip = |at: usize| {
        move |path: &Path| {
            let mut bytes = fs::read(path).unwrap();
            bytes[at] ^= 1;
            fs::write(path, bytes).unwrap();
        }
    };
    check_harm(flip(24 + 20), &[5, 6, 7], 5);
    check_harm(flip(24 + 2 * 28 + 20), &[0, 1, 5, 6, 7], 3);
    check_harm(|path| fs::write(path, "").unwrap(), &[5, 6, 7], 5);
    check_harm(|path| fs::remove_file(path).unwrap(), &[5, 6, 7], 5);
}

#[test]
fn newest_segment_that_is_damaged_is_not_written_on() {
    let mut folder = Folder::new(1 << 20);
    let buffer = folder.open();
    put(&buffer, 0..5);
    let path = folder.segments().remove(0);
    let length = fs::metadata(&path).unwrap().len();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length - 1).unwrap();
    assert_eq!(bodies(&read_all(&buffer)), [0, 1, 2, 3]);
    put(&buffer, 5..8);
    assert_eq!(bodies(&read_all(&buffer)), [5, 6, 7]);
    buffer.let_go(4).unwrap();
    assert_eq!(buffer.stats().documents, 3);
    drop(buffer);
    let buffer = folder.open();
    assert_eq!(bodies(&read_all(&buffer)), [5, 6, 7]);
    assert_eq!(buffer.stats().damaged_bytes, 0);
}

#[test]
fn full_disk_gets_back_what_was_let_go_of() {
    let mut folder = Folder::new(1 << 20);
    put(&folder.open(), 0..5);
    let buffer = folder.open();
    put(&buffer, 5..8);
    read_all(&buffer);
    // As where there is no room: the position cannot be written.
    fs::create_dir(folder.folder.path().join("position.new")).unwrap();
    assert!(buffer.let_go(6).is_err());
    assert_eq!(folder.segments().len(), 1);
    drop(buffer);
    assert_eq!(bodies(&read_all(&folder.open())), [5, 6, 7]);
}

#[test]
fn age_of_the_oldest_is_known_while_others_are_on_their_way() {
    let mut folder = Folder::new(64 << 10);
    let buffer = folder.open();
    put(&buffer, 0..200);
    assert_eq!(buffer.read(50, usize::MAX).unwrap().len(), 50);
    for begin in (200..4_000).step_by(50) {
        put(&buffer, begin..begin + 50);
        let stats = buffer.stats();
        assert_eq!(stats.oldest_at, Some(document(begin + 50 - stats.documents).at), "{begin}");
    }
}
