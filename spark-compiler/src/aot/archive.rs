//! A static library with one object, as `ar` writes it: build tools take libraries where they do not take objects.
//!
//! The format is that of System V with GNU's long names, which linkers of ELF and COFF read.

/// An archive with the file `member`, which defines `symbols`.
pub(super) fn archive(member: &str, bytes: &[u8], symbols: &[String]) -> Vec<u8> {
    let mut names = Vec::new();
    if member.len() > 15 {
        names = format!("{member}/\n").into_bytes();
        names.resize(names.len().next_multiple_of(2), b'\n');
    }
    let mut index: Vec<u8> = (symbols.len() as u32).to_be_bytes().to_vec();
    let strings: Vec<u8> = symbols.iter().flat_map(|symbol| symbol.bytes().chain([0])).collect();
    let mut index_bytes = 4 + 4 * symbols.len() + strings.len();
    index_bytes = index_bytes.next_multiple_of(2);
    let names_bytes = if names.is_empty() { 0 } else { HEADER + names.len() };
    let object = MAGIC.len() + HEADER + index_bytes + names_bytes;
    for _ in symbols {
        index.extend((object as u32).to_be_bytes());
    }
    index.extend(strings);
    index.resize(index_bytes, 0);

    let mut out = MAGIC.to_vec();
    append(&mut out, "/", &index);
    if !names.is_empty() {
        append(&mut out, "//", &names);
        append(&mut out, "/0", bytes);
    } else {
        append(&mut out, &format!("{member}/"), bytes);
    }
    out
}

const MAGIC: &[u8] = b"!<arch>\n";
const HEADER: usize = 60;

/// Appends a member; its time and owner are zero, so equal objects give equal archives.
fn append(out: &mut Vec<u8>, name: &str, bytes: &[u8]) {
    let header = format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 644, bytes.len());
    debug_assert_eq!(header.len(), HEADER);
    out.extend(header.bytes());
    out.extend(bytes);
    if bytes.len() % 2 == 1 {
        out.push(b'\n');
    }
}
