//! Erases the content of changes, where the law demands it. The leaves stay, and with them the proof.
