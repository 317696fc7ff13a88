CREATE TABLE stream (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    version TEXT NOT NULL,
    status INTEGER NOT NULL,
    device_name TEXT,
    media_type TEXT,
    kms_key_id TEXT,
    retention_hours INTEGER NOT NULL,
    visible_from INTEGER NOT NULL,
    storage_tier INTEGER NOT NULL,
    wrapped_key BLOB NOT NULL
, image_generation TEXT, notification TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE stream_tag (
    stream BLOB NOT NULL REFERENCES stream (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (stream, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO stream VALUES (x'01010101010101010101010101010101', 'old', 1795166438482, 'kMUdKJmwy1WuDtEgVTCY', 1,
    'front door', 'video/h264,audio/aac', 'alias/keep', 87600, 1795000000000, 2,
    x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff',
    '{"FormatVersion":1,"Uri":"s3://bucket/a\nb"}',
    'arn:aws:sns:us-west-2:111122223333:topic = \' || char(10) || 'second');
INSERT INTO stream_tag VALUES (x'01010101010101010101010101010101', 'site', '北京 7'), (x'01010101010101010101010101010101', 'empty', '');
INSERT INTO meta VALUES ('owner_epoch', x'07000000');
PRAGMA application_id = 1397449588;
PRAGMA user_version = 2;
