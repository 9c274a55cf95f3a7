/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* request.bpf.h - what the calling thread's next read(2) should hold. */
#ifndef FDMAP_REQUEST_BPF_H
#define FDMAP_REQUEST_BPF_H

#include "describe.bpf.h"
#include "match.bpf.h"

/* Creates the thread's storage, so that a read finds it. */
static __always_inline int take_request(struct fdinfo_request *ctx)
{
	struct subject *s;

	ctx->error = -EINVAL;
	if (ctx->abi != FDMAP_ABI)
		return 0;
	ctx->error = -ENOMEM;
	s = subject_of(bpf_get_current_task_btf());
	if (!s)
		return 0;
	copy_request(&s->request, ctx);
	s->asked = 1;
	ctx->error = 0;
	return 0;
}

/* Without a request: everything. */
static __always_inline void use_default(struct subject *s)
{
	if (!s->asked) {
		s->request.want = ~0U;
		s->asked = 1;
	}
}

#endif
