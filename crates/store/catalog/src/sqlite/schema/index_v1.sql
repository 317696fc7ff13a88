CREATE TABLE volume (
    id INTEGER PRIMARY KEY,
    uuid BLOB NOT NULL CHECK (length(uuid) = 16),
    lane INTEGER NOT NULL,
    state INTEGER NOT NULL,
    created INTEGER NOT NULL,
    length INTEGER NOT NULL,
    indexed_upto INTEGER NOT NULL,
    max_server INTEGER NOT NULL,
    max_expiry INTEGER NOT NULL,
    fragment_count INTEGER NOT NULL,
    record_bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX volume_by_expiry ON volume (state, max_expiry);
CREATE TABLE run (
    volume INTEGER NOT NULL REFERENCES volume (id) ON DELETE CASCADE,
    stream BLOB NOT NULL CHECK (length(stream) = 16),
    first BLOB NOT NULL CHECK (length(first) = 16),
    last BLOB NOT NULL CHECK (length(last) = 16),
    fragment_count INTEGER NOT NULL,
    record_bytes INTEGER NOT NULL,
    server_start INTEGER NOT NULL,
    server_class INTEGER NOT NULL,
    producer_start INTEGER NOT NULL,
    producer_end INTEGER NOT NULL,
    producer_class INTEGER NOT NULL,
    PRIMARY KEY (volume, stream)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_by_server ON run (stream, server_start, volume);
CREATE INDEX run_by_server_class ON run (stream, server_class, server_start);
CREATE INDEX run_by_producer ON run (stream, producer_start, volume);
CREATE INDEX run_by_producer_class ON run (stream, producer_class, producer_start);
INSERT INTO volume VALUES (2, x'02020202020202020202020202020202', 3, 1, 1002, 1073741824, 4096, 2002, 3002, 7, 1750000);
INSERT INTO run VALUES (2, x'01010101010101010101010101010101', x'100000000000000a0000010000000002', x'10000000000000140000010000000003', 2, 500000, 10, 4, 30,
    40, 4);
PRAGMA application_id = 1397451128;
PRAGMA user_version = 1;
