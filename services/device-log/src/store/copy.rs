//! Rows in PostgreSQL's binary COPY format: nothing is escaped, nothing is parsed.

use super::Row;

pub(super) const STATEMENT: &str = "COPY devicelog.entry
    (message_id, product, device, first_at, last_at, part, marks, stray, lines)
    FROM STDIN (FORMAT binary)";
const COLUMNS: i16 = 9;

/// Signature, flags (none) and header extension (none).
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: i16 = -1;

/// PostgreSQL counts time from 2000-01-01, in microseconds.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// Bytes of a row beside its lines: the column count, nine lengths and eight values.
const ROW_BYTES: usize = 2 + 9 * 4 + 16 + 4 * 8 + 4 + 2 + 1;

pub(super) fn encode(rows: &[Row]) -> Vec<u8> {
    let bytes: usize = rows.iter().map(|row| ROW_BYTES + row.lines.len()).sum();
    let mut out = Vec::with_capacity(HEADER.len() + bytes + 2);
    out.extend(HEADER);
    for row in rows {
        out.extend(COLUMNS.to_be_bytes());
        field(&mut out, row.message_id.as_bytes());
        field(&mut out, &row.product.to_be_bytes());
        field(&mut out, &row.device.to_be_bytes());
        field(
            &mut out,
            &(row.first_at.timestamp_micros() - EPOCH_MICROS).to_be_bytes(),
        );
        field(
            &mut out,
            &(row.last_at.timestamp_micros() - EPOCH_MICROS).to_be_bytes(),
        );
        field(&mut out, &row.part.to_be_bytes());
        field(&mut out, &row.marks.to_be_bytes());
        field(&mut out, &[u8::from(row.stray)]);
        field(&mut out, &row.lines);
    }
    out.extend(TRAILER.to_be_bytes());
    out
}

fn field(out: &mut Vec<u8>, value: &[u8]) {
    // A row is far shorter than 2 GiB: `row.rs` sees to that.
    out.extend((value.len() as i32).to_be_bytes());
    out.extend(value);
}
