use super::*;

const MS: Duration = Duration::from_millis(1);

/// A line of so many bytes a second, and a page that answers pings.
struct Way {
    line: Line,
    now: Instant,
    rate: usize,
    distance: Duration,
    /// When the last byte given to it is across.
    busy_until: Instant,
    crossing: VecDeque<(usize, Option<[u8; 4]>, Instant)>,
    /// The longest that a message took to cross, of those that were sent lately.
    longest: Duration,
    crossed: usize,
}

impl Way {
    fn new(kbit_per_second: usize, distance_ms: u32) -> Self {
        let now = Instant::now();
        Self {
            line: Line::new(),
            now,
            rate: kbit_per_second * 125,
            distance: distance_ms * MS,
            busy_until: now,
            crossing: VecDeque::new(),
            longest: Duration::ZERO,
            crossed: 0,
        }
    }

    /// A message, and a ping if one is due; none of 0 bytes.
    fn send(&mut self, bytes: usize) {
        self.line.sent(bytes);
        let takes = Duration::from_secs_f64(bytes as f64 / self.rate as f64);
        self.busy_until = self.busy_until.max(self.now) + takes;
        let there = self.busy_until + self.distance;
        let probe = self.line.probe(self.now);
        if bytes > 0 || probe.is_some() {
            self.longest = self.longest.max(there - self.now);
            self.crossing.push_back((bytes, probe, there));
        }
    }

    /// For so long, as much is sent as may be.
    fn run(&mut self, ms: u32, bytes: usize) {
        for _ in 0..ms {
            while let Some((bytes, probe, there)) = self.crossing.front().copied()
                && there <= self.now
            {
                self.crossing.pop_front();
                self.crossed += bytes;
                if let Some(probe) = probe {
                    self.line.answered(&probe, self.now);
                }
            }
            self.send(0);
            while self.line.is_open() {
                self.send(bytes);
            }
            self.now += MS;
        }
    }
}

#[test]
fn a_slow_line_is_kept_full_and_no_fuller() {
    for bytes in [500, 8_000, 20_000] {
        let mut way = Way::new(300, 200);
        way.run(10_000, bytes);
        (way.longest, way.crossed) = (Duration::ZERO, 0);
        way.run(20_000, bytes);
        assert!(way.longest < 1_500 * MS, "{bytes}: {:?}", way.longest);
        assert!(way.crossed > 20 * 37_500 * 9 / 10, "{bytes}: {}", way.crossed);
    }
}

#[test]
fn a_fast_line_is_opened_soon() {
    for (kbit, distance) in [(1_000_000, 1), (100_000, 20), (50_000, 100)] {
        let mut way = Way::new(kbit, distance);
        way.run(10 * distance, 8_000);
        way.crossed = 0;
        way.run(1_000, 8_000);
        let most = way.rate.min(LINE_BYTES_MAX * 1000 / distance as usize);
        assert!(way.crossed > most * 8 / 10, "{kbit} kbit/s: {}", way.crossed);
    }
}

#[test]
fn a_line_that_gets_slow_is_narrowed() {
    let mut way = Way::new(20_000, 20);
    way.run(3_000, 8_000);
    assert!(way.line.bytes_max > 400_000);
    way.rate = 300 * 125;
    way.run(40_000, 8_000);
    way.longest = Duration::ZERO;
    way.run(10_000, 8_000);
    assert!(way.longest < 1_500 * MS, "{:?}", way.longest);
    way.rate = 20_000 * 125;
    way.run(5_000, 8_000);
    assert!(way.line.bytes_max > 400_000, "and opened again");
}

#[test]
fn a_message_of_any_size_goes_on_an_empty_line() {
    let mut way = Way::new(300, 100);
    way.run(40_000, 300_000);
    assert!(way.longest < 8_500 * MS, "none waits behind another: {:?}", way.longest);
    assert!(way.crossed >= 4 * 300_000);
}

#[test]
fn only_answers_to_what_was_asked_count() {
    let mut line = Line::new();
    let now = Instant::now();
    assert_eq!(line.probe(now), None, "nothing was sent");
    line.sent(100_000);
    let first = line.probe(now).unwrap();
    assert_eq!(line.probe(now), None, "it is asked already");
    line.sent(100_000);
    let second = line.probe(now).unwrap();
    for other in [&b""[..], b"\0\0\0", b"\xff\0\0\0", b"\0\0\0\0\0\0\0\0"] {
        line.answered(other, now);
        assert!(!line.is_open());
    }
    // The last alone.
    line.answered(&second, now);
    line.answered(&first, now);
    line.answered(&second, now);
    assert!(line.is_open() && line.probes.is_empty());
    assert_eq!((line.sent, line.arrived), (200_000, 200_000));
}
