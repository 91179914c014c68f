//! The tree: known answers of RFC 6962, a second implementation, and every proof of small trees and of some up to 600 leaves.
#![expect(clippy::cast_possible_truncation, reason = "sizes here are small")]

use std::collections::HashMap;

use mandate_tlog::{
    hash::{Frontier, Hash, fold, leaf_hash},
    note::{Checkpoint, Note, Purpose, SignerKey, VerifierKey},
    path::{Node, consistency, cover, extends, includes, inclusion},
    tiles::{Edge, Hashes, Tile, TilePath, place, root_in},
};

use crate::tampered::hex;

/// The leaves and roots of the reference implementation of Certificate Transparency.
const KNOWN: [(&[u8], &str); 8] = [
    (b"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    (b"\x00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    (b"\x10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
    (b"\x20\x21", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
    (b"\x30\x31", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
    (b"\x40\x41\x42\x43", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
    (b"\x50\x51\x52\x53\x54\x55\x56\x57", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
    (
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ),
];

#[test]
fn roots_are_those_of_the_reference() {
    let mut tree = Frontier::default();
    assert_eq!(hex(&tree.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (leaf, root) in KNOWN {
        tree.push(leaf_hash(leaf));
        assert_eq!(hex(&tree.root()), root);
    }
}

const MOST: u64 = 600;

/// A tree in tiles, with the root of each size.
fn tree() -> (HashMap<Tile, Hashes>, Vec<Hash>, Vec<Hash>) {
    let leaves: Vec<Hash> = (0..MOST).map(|index| leaf_hash(&index.to_be_bytes())).collect();
    let (mut edge, mut frontier, mut tiles) = (Edge::default(), Frontier::default(), HashMap::new());
    let mut roots = vec![frontier.root()];
    for (size, leaf) in leaves.iter().enumerate() {
        // Sometimes it is read back, as after a restart.
        if size % 7 == 0 {
            edge = Edge::of(size as u64, |tile| tiles.get(&tile).cloned()).unwrap();
        }
        tiles.extend(edge.extend([*leaf]));
        frontier.push(*leaf);
        assert_eq!(edge.root(), frontier.root());
        roots.push(frontier.root());
    }
    (tiles, leaves, roots)
}

#[test]
fn every_proof_holds_for_its_tree_and_for_no_other() {
    let (tiles, leaves, roots) = tree();
    let hash = |range: &std::ops::Range<u64>| {
        let nodes = cover(range);
        fold(
            &nodes
                .into_iter()
                .map(place)
                .map(|(tile, offset, count)| root_in(&tiles[&tile], offset, count).unwrap())
                .collect::<Vec<_>>(),
        )
    };
    // All sizes up to 130, and those around the borders of tiles and subtrees.
    for size in (1..=130).chain([255, 256, 257, 258, 384, 511, 512, 513, 599, MOST]) {
        let root = &roots[size as usize];
        for index in 0..size {
            let path: Vec<Hash> = inclusion(index, size).iter().map(hash).collect();
            let leaf = leaves[index as usize];
            assert!(includes(leaf, index, size, &path, root), "{index} of {size}");
            assert!(!includes(leaf, index ^ 1, size, &path, root));
            assert!(!includes(leaf, index, size, &path, &roots[size as usize - 1]));
        }
        for old in 0..=size {
            let path: Vec<Hash> = consistency(old, size).iter().map(hash).collect();
            let before = &roots[old as usize];
            assert!(extends((old, before), (size, root), &path), "{old} of {size}");
            if old > 0 && old < size {
                assert!(!extends((old, &roots[old as usize - 1]), (size, root), &path));
                assert!(!extends((old, before), (size, &roots[size as usize - 1]), &path));
                assert!(!extends((old, before), (size, root), &path[1..]));
            }
        }
    }
}

struct Stored<'a>(&'a HashMap<Tile, Hashes>);

impl tlog_tiles::HashReader for Stored<'_> {
    fn read_hashes(&self, indices: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::tlog::Error> {
        let hash = |index: &u64| {
            let (level, n) = tlog_tiles::split_stored_hash_index(*index);
            let node = Node { height: level.into(), index: n };
            let (tile, offset, count) = place(node);
            tlog_tiles::Hash(root_in(&self.0[&tile], offset, count).unwrap())
        };
        Ok(indices.iter().map(hash).collect())
    }
}

#[test]
fn a_second_implementation_agrees() {
    let (tiles, leaves, roots) = tree();
    let reader = Stored(&tiles);
    for size in (1..=MOST).step_by(37).chain([256, 257, 512, MOST]) {
        let root = tlog_tiles::Hash(roots[size as usize]);
        assert_eq!(tlog_tiles::tree_hash(size, &reader).unwrap().0, root.0);
        for at in (0..size).step_by(29) {
            let proof = tlog_tiles::prove_record(size, at, &reader).unwrap();
            let path: Vec<Hash> = proof.iter().map(|hash| hash.0).collect();
            assert!(includes(leaves[at as usize], at, size, &path, &root.0));
            let proof = tlog_tiles::prove_tree(size, at + 1, &reader).unwrap();
            let path: Vec<Hash> = proof.iter().map(|hash| hash.0).collect();
            assert!(extends((at + 1, &roots[at as usize + 1]), (size, &root.0), &path), "{at} {size}");
        }
    }
}

#[test]
fn tiles_have_one_spelling() {
    for path in ["0/000", "1/x001/067", "0/x001/x234/067.p/3", "entries/000.p/255", "entries/999"] {
        assert_eq!(path.parse::<TilePath>().unwrap().to_string(), path);
    }
    for path in [
        "0/0",
        "0/x000/001",
        "0/000.p/0",
        "0/000.p/256",
        "8/000",
        "x/000",
        "0/1000",
        "0/-01",
        "0/",
        "",
        "0/000/",
        "00/000",
    ] {
        assert!(path.parse::<TilePath>().is_err(), "{path}");
    }
}

#[test]
fn keys_and_notes_are_those_of_c2sp() {
    for purpose in [Purpose::Log, Purpose::Witness] {
        let key = SignerKey::new("a.example/log", purpose, &[3; 32]);
        let again: SignerKey = key.to_file().parse().unwrap();
        let public: VerifierKey = again.verifier().to_string().parse().unwrap();
        assert_eq!(public, key.verifier());
        let checkpoint = Checkpoint { origin: "a.example/log".into(), size: 5, root: [9; 32] };
        let text = checkpoint.to_string();
        let note = Note { signatures: vec![key.sign(&text, 77)], text };
        let read: Note = note.to_string().parse().unwrap();
        assert_eq!(read, note);
        assert!(public.has_signed(&read));
        assert_eq!(read.text.parse::<Checkpoint>(), Ok(checkpoint));
        let other = SignerKey::new("a.example/log", purpose, &[4; 32]).verifier();
        assert!(!other.has_signed(&read));
        let changed = Note { text: read.text.replace("\n5\n", "\n6\n"), ..read };
        assert!(!public.has_signed(&changed));
        assert!(!format!("{key:?}").contains(&key.to_file()[20..60]));
    }
}
