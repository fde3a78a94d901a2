//! Signs of life: whole packets (MQTT 3.1.1, 3.1.2.10), and the parts of a large one on a slow link.
//! A byte now and then is none: who sends no more holds a connection and half a packet for ever.

/// Bytes of a packet that count as a sign of life: at 4 KB within one and a half keep-alives, a packet of the
/// largest size ends.
const PART: usize = 4 * 1024;

/// When a device was last heard, in UTC milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    at_ms: i64,
    bytes: usize,
}

impl Heard {
    pub(crate) fn new(now_ms: i64) -> Self {
        Self {
            at_ms: now_ms,
            bytes: 0,
        }
    }

    pub(crate) fn at_ms(self) -> i64 {
        self.at_ms
    }

    pub(crate) fn packet(&mut self, now_ms: i64) {
        *self = Self::new(now_ms);
    }

    pub(crate) fn bytes(&mut self, count: usize, now_ms: i64) {
        self.bytes += count;
        if self.bytes >= PART {
            *self = Self::new(now_ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_packet_on_a_slow_link_is_heard_and_a_trickle_is_not() {
        let mut heard = Heard::new(0);
        for second in 1..=4_095 {
            heard.bytes(1, second * 1_000);
            assert_eq!(heard.at_ms(), 0, "after {second} bytes");
        }
        heard.bytes(1, 5_000_000);
        assert_eq!(heard.at_ms(), 5_000_000);
        heard.bytes(100_000, 6_000_000);
        assert_eq!(heard.at_ms(), 6_000_000);
        heard.bytes(4_000, 6_500_000);
        heard.packet(7_000_000);
        heard.bytes(4_000, 8_000_000);
        assert_eq!(heard.at_ms(), 7_000_000, "counted anew behind a packet");
    }
}
