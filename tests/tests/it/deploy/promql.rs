//! What a query asks for.

use std::collections::BTreeSet;

use promql_parser::{
    label::MatchOp,
    parser::{self, Expr, LabelModifier},
    util::{ExprVisitor, walk_expr},
};

/// The metrics and labels of a query.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) metrics: Vec<Metric>,
    /// What results are told apart by.
    pub(super) grouped_by: BTreeSet<String>,
}

/// A metric and what it is narrowed to.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) name: String,
    pub(super) labels: BTreeSet<String>,
    /// Labels that have to have exactly this value.
    pub(super) values: Vec<(String, String)>,
}

/// Reads a query, with Grafana's variable for the step in it.
pub(super) fn asked(query: &str) -> Asked {
    let query = query.replace("$__rate_interval", "5m");
    let parsed = parser::parse(&query).unwrap_or_else(|error| panic!("{query}: {error}"));
    let mut asked = Asked::default();
    assert!(walk_expr(&mut asked, &parsed).unwrap_or_else(|never| match never {}));
    assert!(!asked.metrics.is_empty(), "{query}");
    asked
}

impl ExprVisitor for Asked {
    type Error = std::convert::Infallible;

    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is promql-parser's")]
    fn pre_visit(&mut self, expression: &Expr) -> Result<bool, Self::Error> {
        match expression {
            Expr::VectorSelector(selector) => self.metrics.push(metric(selector)),
            Expr::MatrixSelector(selector) => self.metrics.push(metric(&selector.vs)),
            Expr::Aggregate(aggregate) => {
                if let Some(LabelModifier::Include(labels)) = &aggregate.modifier {
                    self.grouped_by.extend(labels.labels.iter().cloned());
                }
            }
            _ => {}
        }
        Ok(true)
    }
}

fn metric(selector: &parser::VectorSelector) -> Metric {
    let name = selector.name.clone().expect("a metric by its name");
    let matchers = || selector.matchers.matchers.iter();
    assert!(selector.matchers.or_matchers.is_empty());
    Metric {
        name,
        labels: matchers().map(|matcher| matcher.name.clone()).collect(),
        values: matchers()
            .filter(|matcher| matches!(matcher.op, MatchOp::Equal))
            .map(|matcher| (matcher.name.clone(), matcher.value.clone()))
            .collect(),
    }
}

#[test]
fn queries_are_understood() {
    let asked = asked(
        r#"histogram_quantile(0.9, sum by (le, q) (rate(a_bucket{x="1",y!~"2"}[$__rate_interval]))) > max(b offset 1h)"#,
    );
    let names: Vec<&str> = asked.metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(names, ["a_bucket", "b"]);
    assert_eq!(asked.metrics[0].values, [("x".to_owned(), "1".to_owned())]);
    assert_eq!(asked.metrics[0].labels.len(), 2);
    assert_eq!(asked.grouped_by.into_iter().collect::<Vec<_>>(), ["le", "q"]);
}
