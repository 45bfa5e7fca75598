ALTER TABLE record ADD COLUMN settled INTEGER NOT NULL DEFAULT 0; -- when it came to its state, Unix milliseconds
