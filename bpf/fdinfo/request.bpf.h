/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* request.bpf.h - what the calling thread's next read(2) should hold, out of a context. */
#ifndef FDMAP_REQUEST_BPF_H
#define FDMAP_REQUEST_BPF_H

#include "../compat.bpf.h"

/* `to`: in storage of the thread, made by now so that a read finds it; NULL for want of memory. */
static __always_inline int take_request(struct fdinfo_request *ctx, struct fdinfo_request *to)
{
	ctx->error = -EINVAL;
	if (ctx->abi != FDMAP_ABI)
		return 0;
	ctx->error = -ENOMEM;
	if (!to)
		return 0;
	/* member by member: a context is no memory that can be copied from */
	to->want = ctx->want;
	to->filters = ctx->filters;
	to->types = ctx->types;
	to->inode = ctx->inode;
	to->dev = ctx->dev;
	to->fd = ctx->fd;
	to->port = ctx->port;
	to->user = ctx->user;
	((__u64 *)to->command)[0] = ((const __u64 *)ctx->command)[0];
	((__u64 *)to->command)[1] = ((const __u64 *)ctx->command)[1];
	to->abi = FDMAP_ABI;
	ctx->error = 0;
	return 0;
}

/* Without a request: everything. */
static __always_inline void use_default(struct fdinfo_request *request)
{
	if (request->abi != FDMAP_ABI) {
		request->want = ~0U;
		request->abi = FDMAP_ABI;
	}
}

#endif
