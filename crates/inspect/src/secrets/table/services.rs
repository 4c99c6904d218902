//! Models, payments, messages, monitoring and other services.

use super::{Charset::*, Middle, Part, begin, middle, run, token};
use crate::secrets::rule::Rule;

pub(super) const RULES: &[Rule] = &[
    middle(
        "openai-key",
        "an API key of OpenAI",
        &["T3BlbkFJ"],
        Middle {
            starts: "sk-",
            before: (Url, 20, 160),
            after: (Url, 20, 160),
        },
    ),
    token(
        "anthropic-key",
        "an API or admin key of Anthropic",
        &["sk-ant-api", "sk-ant-admin", "sk-ant-oat", "sk-ant-ort"],
        &[run(Digits, 2, 2), Part::Text("-"), run(Url, 60, 130)],
    ),
    token(
        "openrouter-key",
        "an API key of OpenRouter",
        &["sk-or-v1-"],
        &[run(Hex, 64, 64)],
    ),
    token(
        "groq-key",
        "an API key of Groq",
        &["gsk_"],
        &[run(Base62, 52, 52)],
    ),
    token(
        "xai-key",
        "an API key of xAI",
        &["xai-"],
        &[run(Base62, 70, 90)],
    ),
    token(
        "perplexity-key",
        "an API key of Perplexity",
        &["pplx-"],
        &[run(Base62, 48, 56)],
    ),
    token(
        "huggingface-token",
        "a token of Hugging Face",
        &["hf_"],
        &[run(Base62, 34, 40)],
    ),
    token(
        "replicate-token",
        "a token of Replicate",
        &["r8_"],
        &[run(Base62, 37, 40)],
    ),
    token(
        "slack-token",
        "a token of Slack: of a bot, a user, a workspace",
        &[
            "xoxb-", "xoxp-", "xoxa-", "xoxo-", "xoxs-", "xoxr-", "xoxe-",
        ],
        &[run(Digits, 1, 14), Part::Text("-"), begin(Url, 24)],
    ),
    token(
        "slack-token",
        "a token of Slack that is rotated",
        &["xoxe.xoxp-", "xoxe.xoxb-"],
        &[begin(Url, 100)],
    ),
    token(
        "slack-app-token",
        "an app-level token of Slack",
        &["xapp-"],
        &[run(Digits, 1, 1), Part::Text("-"), run(Url, 60, 120)],
    ),
    token(
        "slack-webhook",
        "a webhook of Slack",
        &["hooks.slack.com/services/"],
        &[
            run(UpperDigits, 8, 12),
            Part::Text("/"),
            run(UpperDigits, 8, 12),
            Part::Text("/"),
            run(Base62, 24, 24),
        ],
    ),
    token(
        "stripe-key",
        "a live key of Stripe",
        &["sk_live_", "rk_live_"],
        &[begin(Base62, 24)],
    ),
    token(
        "stripe-webhook-secret",
        "the secret of a webhook of Stripe",
        &["whsec_"],
        &[run(Base64, 32, 64)],
    ),
    token(
        "square-token",
        "a token or secret of Square",
        &["sq0atp-", "sq0csp-"],
        &[run(Url, 22, 43)],
    ),
    token(
        "shopify-token",
        "a token or secret of Shopify",
        &["shpat_", "shpca_", "shppa_", "shpss_"],
        &[run(Hex, 32, 32)],
    ),
    token(
        "sendgrid-key",
        "an API key of SendGrid",
        &["SG."],
        &[run(Url, 22, 22), Part::Text("."), run(Url, 43, 43)],
    ),
    middle(
        "telegram-bot-token",
        "the token of a bot of Telegram",
        &[":AA"],
        Middle {
            starts: "",
            before: (Digits, 8, 10),
            after: (Url, 33, 33),
        },
    ),
    token(
        "discord-webhook",
        "a webhook of Discord",
        &["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"],
        &[run(Digits, 17, 20), Part::Text("/"), run(Url, 60, 80)],
    ),
    token(
        "new-relic-key",
        "a user key of New Relic",
        &["NRAK-"],
        &[run(UpperDigits, 27, 27)],
    ),
    token(
        "grafana-token",
        "a token of Grafana",
        &["glsa_", "glc_"],
        &[begin(Url, 32)],
    ),
    token(
        "sentry-token",
        "a token of Sentry",
        &["sntryu_", "sntrys_"],
        &[begin(Url, 60)],
    ),
    token(
        "linear-key",
        "an API key of Linear",
        &["lin_api_"],
        &[run(Base62, 40, 40)],
    ),
    token(
        "notion-token",
        "a token of Notion",
        &["ntn_"],
        &[run(Base62, 40, 50)],
    ),
    token(
        "figma-token",
        "a token of Figma",
        &["figd_"],
        &[run(Url, 38, 48)],
    ),
    token(
        "postman-key",
        "an API key of Postman",
        &["PMAK-"],
        &[run(Hex, 24, 24), Part::Text("-"), run(Hex, 34, 34)],
    ),
];
