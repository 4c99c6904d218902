//! Forges and package registries.

use super::{Charset::*, Check, Middle, Part, begin, checked, middle, run, token};
use crate::secrets::rule::Rule;

pub(super) const RULES: &[Rule] = &[
    checked(
        "github-token",
        "a token of GitHub: personal, OAuth, of a user or a server, by its checksum",
        &["ghp_", "gho_", "ghu_", "ghs_"],
        (&[run(Base62, 36, 36)], Check::Crc32),
    ),
    token(
        "github-token",
        "a refresh token of GitHub",
        &["ghr_"],
        &[begin(Base62, 36)],
    ),
    token(
        "github-token",
        "an installation token of GitHub that is a web token",
        &["ghs_"],
        &[run(Digits, 1, 12), Part::Text("_eyJ"), begin(Dotted, 60)],
    ),
    token(
        "github-fine-grained-token",
        "a personal token of GitHub with permissions of its own",
        &["github_pat_"],
        &[run(Base62, 22, 22), Part::Text("_"), run(Base62, 59, 59)],
    ),
    token(
        "gitlab-token",
        "a token of GitLab: personal, of a project, a group, a deployment, a runner, a job, an agent",
        &[
            "glpat-", "gldt-", "glrt-", "glrtr-", "glcbt-", "glptt-", "glft-", "glagent-",
            "gloas-", "glimt-", "glsoat-", "glffct-",
        ],
        &[begin(Dotted, 20)],
    ),
    token(
        "gitlab-runner-registration-token",
        "a token with which runners of GitLab are registered",
        &["GR1348941"],
        &[run(Url, 20, 20)],
    ),
    token(
        "bitbucket-app-password",
        "an app password of Bitbucket",
        &["ATBB"],
        &[run(Base62, 32, 32)],
    ),
    token(
        "atlassian-token",
        "an API token of Atlassian",
        &["ATATT3xFfGF0", "ATCTT3xFfGN0"],
        &[begin(Url, 60)],
    ),
    checked(
        "npm-token",
        "a token of an npm registry, by its checksum",
        &["npm_"],
        (&[run(Base62, 36, 36)], Check::Crc32),
    ),
    token(
        "pypi-token",
        "a token of PyPI or its test instance",
        &["pypi-AgEIcHlwaS5vcmc", "pypi-AgENdGVzdC5weXBpLm9yZw"],
        &[begin(Url, 50)],
    ),
    token(
        "rubygems-token",
        "an API key of RubyGems",
        &["rubygems_"],
        &[run(Hex, 48, 48)],
    ),
    token(
        "docker-token",
        "an access token of Docker Hub",
        &["dckr_pat_", "dckr_oat_"],
        &[run(Url, 27, 64)],
    ),
    token(
        "nuget-token",
        "an API key of NuGet",
        &["oy2"],
        &[run(LowerDigits, 43, 43)],
    ),
    middle(
        "azure-devops-token",
        "a personal token of Azure DevOps",
        &["AZDO"],
        Middle {
            starts: "",
            before: (Base62, 76, 76),
            after: (Base62, 4, 4),
        },
    ),
];
