/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _TTM_FENCE_LRU_LOCK_RULES_H_
#define _TTM_FENCE_LRU_LOCK_RULES_H_

#include "mock.h"

/*
 * Each case keeps a rule of the locking document, and then breaks it. What it must make
 * the kernel report is printed beforehand, with the locks or the function that the report
 * must name:
 *
 *   expect: <head of the report>; takes <lock>; holding <lock>; in <function>
 *
 * Lockdep reports once, so each case needs a boot of its own: tests/lock-rules.sh boots
 * them and compares. In other runs they are skipped.
 */

#define SLEEPS "sleeping function called from invalid context"
#define CIRCULAR "possible circular locking dependency detected"
#define RECURSIVE "possible recursive locking detected"
#define INVALID_WAIT "Invalid wait context"
#define RCU_USAGE "suspicious RCU usage"
#define IRQ_STATE "inconsistent lock state"
#define WARNING "WARNING: CPU: "

/* The names that lockdep has for the locks. */
#define LRU "&dev->lru_lock"
#define CHANNEL "&channel->lock"
#define RECLAIM "&lru->reclaim_lock"
#define SIGNALING "dma_fence_map"
#define RESERVATION "reservation_ww_class_mutex"
#define DRAIN "ttm_fence_lru_drain"
#define CLEAN "ttm_fence_lru_clean"

#define IN(_function) "; in " _function
#define TAKES(_lock) "; takes " _lock
#define ORDER(_outer, _inner) TAKES(_inner) "; holding " _outer

void lock_rules_reclaim(struct mock_device *dev);
void break_rule(struct kunit *test, const char *report, const char *and_then);
int lock_rules_init(struct kunit *test);
void lock_rules_exit(struct kunit *test);

#endif
