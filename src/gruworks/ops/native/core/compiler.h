// Extensions of C++ that GCC and Clang write differently.
#pragma once

#define GRUWORKS_INLINE inline __attribute__((always_inline))
#define GRUWORKS_NOINLINE __attribute__((noinline))

// The build for every processor of the architecture.
#if defined(__aarch64__)
#define GRUWORKS_BASE neon
#else
#define GRUWORKS_BASE portable
#endif

// Before a loop with a constant number of rounds, at most n: unrolled, so that arrays of vectors become registers.
#define GRUWORKS_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define GRUWORKS_UNROLL(n) GRUWORKS_PRAGMA(unroll n)
#else
#define GRUWORKS_UNROLL(n) GRUWORKS_PRAGMA(GCC unroll n)
#endif
