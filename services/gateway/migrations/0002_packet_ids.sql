-- A message that goes out again has the packet id that it had; 0 is none.

ALTER TABLE gateway.message ADD COLUMN packet_id integer NOT NULL DEFAULT 0;
