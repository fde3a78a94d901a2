"""How large a case is: small in every run of the tests, as large as one likes in `make test-faults`."""

import os

POSTS = int(os.environ.get("HOSHU_FAULTS_POSTS", "300"))
DEVICES = int(os.environ.get("HOSHU_FAULTS_DEVICES", "20"))
# How long a store is gone where that is the fault.
AWAY_SECONDS = int(os.environ.get("HOSHU_FAULTS_AWAY_SECONDS", "10"))
# Limit of a whole case.
LONGEST_SECONDS = 120 + POSTS / 10 + AWAY_SECONDS
