//! Which subtrees a proof consists of, and whether a proof holds (RFC 9162 section 2.1.3 and 2.1.4, the trees of RFC 6962).

use std::ops::Range;

use crate::hash::{Hash, node_hash};

/// A complete subtree of 2^`height` leaves, of which there are `index` to the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// The logarithm of its number of leaves.
    pub height: u32,
    /// Its place among those of its height, from 0.
    pub index: u64,
}

/// The complete subtrees that make up a range of leaves, from left to right.
pub fn cover(range: &Range<u64>) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let fits = (range.end - at).ilog2();
        let height = if at == 0 { fits } else { fits.min(at.trailing_zeros()) };
        nodes.push(Node { height, index: at >> height });
        at += 1 << height;
    }
    nodes
}

/// Where the tree over `leaves` leaves (at least two) has its left subtree end.
fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

/// The ranges whose hashes prove that the leaf at `index` is in the tree of `size` leaves, lowest first.
pub fn inclusion(index: u64, size: u64) -> Vec<Range<u64>> {
    let mut path = Vec::new();
    let (mut low, mut high) = (0, size);
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            path.push(middle..high);
            high = middle;
        } else {
            path.push(low..middle);
            low = middle;
        }
    }
    path.reverse();
    path
}

/// The ranges whose hashes prove that the tree of `size` leaves begins with the `old` leaves of an earlier one.
pub fn consistency(old: u64, size: u64) -> Vec<Range<u64>> {
    if old == 0 || old >= size {
        return Vec::new();
    }
    let mut path = Vec::new();
    let (mut low, mut high) = (0, size);
    while old < high {
        let middle = low + split(high - low);
        if old <= middle {
            path.push(middle..high);
            high = middle;
        } else {
            path.push(low..middle);
            low = middle;
        }
    }
    if low > 0 {
        path.push(low..high);
    }
    path.reverse();
    path
}

/// Whether the path proves that the leaf is at `index` in the tree of `size` leaves with this root.
pub fn includes(leaf: Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            let skipped = if at == 0 { 0 } else { at.trailing_zeros() };
            (at, last) = (at >> skipped, last >> skipped);
        } else {
            hash = node_hash(&hash, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && hash == *root
}

/// Whether the path proves that the tree of `size` leaves with this root begins with the tree of `old` leaves and the root `old_root`.
pub fn extends((old, old_root): (u64, &Hash), (size, root): (u64, &Hash), path: &[Hash]) -> bool {
    if old == size || old == 0 {
        return path.is_empty() && (old == 0 || old_root == root);
    }
    if old > size {
        return false;
    }
    // A complete tree is itself the first hash of the path.
    let (first, rest) = match path.split_first() {
        _ if old.is_power_of_two() => (*old_root, path),
        Some((first, rest)) => (*first, rest),
        None => return false,
    };
    let skipped = (old - 1).trailing_ones();
    let (mut at, mut last) = ((old - 1) >> skipped, (size - 1) >> skipped);
    let (mut before, mut now) = (first, first);
    for hash in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            before = node_hash(hash, &before);
            now = node_hash(hash, &now);
            let skipped = if at == 0 { 0 } else { at.trailing_zeros() };
            (at, last) = (at >> skipped, last >> skipped);
        } else {
            now = node_hash(&now, hash);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && before == *old_root && now == *root
}
