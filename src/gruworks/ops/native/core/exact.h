// Exact mode: the bits of a row do not depend on the other rows, on its block, on threads or on the length of a call.
#pragma once

namespace gruworks {

// The calling thread's mode, read when a recurrence begins or a stream is made.
inline bool& exact() {
  thread_local bool on = false;
  return on;
}

}  // namespace gruworks
