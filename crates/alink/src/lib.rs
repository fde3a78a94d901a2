//! Pure rules of the device protocol: names, topics, envelopes, signatures, codes, log texts.
