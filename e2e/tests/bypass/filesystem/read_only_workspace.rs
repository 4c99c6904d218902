//! `--read-only` and `--read`: what may be read may not be written, by whatever call.

use ringfence_e2e::Host;

use super::tree;

#[test]
fn nothing_is_written_to_what_may_be_read() {
    let host = Host::new();
    host.file("file", "original\n");
    let shown = host.home_file("shown/file", "original\n");
    let shown = shown.parent().unwrap().display().to_string();
    let (project, read) = (tree(host.project()), tree(shown.as_ref()));
    let ended = host.run().flag("--read-only").option("--read", &shown).sh(&format!(
        "for d in . {shown}; do cat $d/file
           echo x >> $d/file; echo x > $d/new; mkdir $d/new; rm -f $d/file; mv $d/file $d/x; ln $d/file $d/x; chmod 777 $d/file
           touch $d/file; truncate -s 0 $d/file; ln -s x $d/x; mkfifo $d/x; mount -o remount,rw $d; echo x > $d/new; done 2>/dev/null; true"
    ));
    assert_eq!(ended.stdout, "original\noriginal\n", "{ended}");
    assert_eq!(tree(host.project()), project);
    assert_eq!(tree(shown.as_ref()), read);
}
