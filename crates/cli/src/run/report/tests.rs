use std::fs;

use ringfence_sandbox::linux::overlay::{Layer, LayerKind};

use super::*;

/// A run that keeps the directory `.vscode` apart, and its event log.
struct Scene {
    directory: tempfile::TempDir,
    state: PathBuf,
    audit: LocalAudit,
}

impl Scene {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let workspace = directory.path().join("workspace");
        let state = directory.path().join("runs/one");
        let store = state.join("0");
        fs::create_dir_all(&workspace).unwrap();
        fs::create_dir_all(&store).unwrap();
        let manifest = Manifest {
            version: 1,
            layers: vec![Layer {
                kind: LayerKind::Directory,
                target: workspace.join(".vscode"),
                store,
            }],
            workspace,
        };
        let manifest = serde_json::to_vec(&manifest).unwrap();
        fs::write(state.join("manifest.json"), manifest).unwrap();
        let identity = crate::run::identity(&"local".parse().unwrap()).unwrap();
        let data = directory.path().join("data");
        Self {
            audit: LocalAudit::create(&data, identity).unwrap(),
            directory,
            state,
        }
    }

    /// How often the event log has a text.
    fn recorded(&self, text: &str) -> usize {
        self.audit.sync().unwrap();
        occurrences(&self.directory.path().join("data"), text)
    }
}

fn occurrences(directory: &Path, text: &str) -> usize {
    let entries = fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| {
            if path.is_dir() {
                return occurrences(&path, text);
            }
            String::from_utf8_lossy(&fs::read(path).unwrap())
                .matches(text)
                .count()
        })
        .sum()
}

#[test]
fn many_changes_are_few_findings() {
    let scene = Scene::new();
    for number in 0..RECORDED + 23 {
        fs::write(scene.state.join(format!("0/{number}")), "x").unwrap();
    }
    let changes = private_changes(&scene.state, &scene.audit);
    assert_eq!(changes.list.len(), RECORDED + 23);
    assert_eq!(scene.recorded("private-copy-changed"), RECORDED + 1);
    assert_eq!(scene.recorded("and 23 more"), 1);
}

#[test]
fn copies_without_changes_are_removed() {
    let scene = Scene::new();
    assert!(private_changes(&scene.state, &scene.audit).is_none());
    assert!(!scene.state.exists());
    // The sandbox's keeper removed them before.
    assert!(private_changes(&scene.state, &scene.audit).is_none());
    assert_eq!(scene.recorded("private-copy"), 0);
}

#[test]
fn copies_that_cannot_be_looked_at_are_kept_and_recorded() {
    let scene = Scene::new();
    let manifest = scene.state.join("manifest.json");
    for broken in [Some("{"), None] {
        fs::remove_file(&manifest).unwrap();
        if let Some(broken) = broken {
            fs::write(&manifest, broken).unwrap();
        }
        let changes = private_changes(&scene.state, &scene.audit);
        assert!(changes.incomplete.is_some() && scene.state.exists());
    }
    assert_eq!(scene.recorded("private-copy-not-examined"), 2);
}

#[test]
fn what_models_took_is_told_in_one_line() {
    let counts = LlmCounts {
        requests: 3,
        denied: 1,
        input_tokens: 1_200,
        output_tokens: 34,
        cost: ringfence_model::llm::Money::from_nanos(3_412_500),
        ..LlmCounts::default()
    };
    assert_eq!(
        spent(&counts),
        "3 requests to models, 1200 tokens in, 34 out, 0.0034125 USD"
    );
    let unsure = LlmCounts {
        estimated: 2,
        without_price: 1,
        ..counts
    };
    assert!(spent(&unsure).ends_with("USD; 2 are upper bounds; 1 have no known price"));
}
