#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# figures.sh: writes the figures of README and of the documents anew, from what make demo,
# bench, pressure and test left in build/; see figures.py.
#
# FORCE=1  also from results of other sources

. "$(dirname "$0")/lib.sh"

"$ROOT/scripts/packages.sh" build
"$ROOT/scripts/figures.py" ${FORCE:+--any}
