//! What one route takes and gives, as far as it does not follow from its row.

use garde::Validate;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use utoipa::{
    ToSchema,
    openapi::{
        ArrayBuilder, Content, Header, KnownFormat, ObjectBuilder, Ref, RefOr, Required, ResponseBuilder,
        Schema, SchemaFormat,
        link::{Link, LinkBuilder},
        path::Parameter,
        request_body::{RequestBody, RequestBodyBuilder},
        schema::AdditionalProperties,
    },
};

use super::{Tag, samples, schemas, terms};
use crate::{
    inbound::{NoParameters, Parameters, check_body, check_list, check_no_body, check_query},
    problem::{InputError, Kind, Place, Problem},
};

const JSON: &str = "application/json";
const FORM: &str = "multipart/form-data";
/// A member that no body and no query has.
const UNKNOWN: &str = "colour";

/// The documentation of a route.
pub(crate) struct Operation {
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) about: &'static str,
    pub(super) tag: Tag,
    pub(super) body: Option<Body>,
    pub(super) query: Vec<Parameter>,
    /// What is said of a query with a parameter that is not known.
    pub(super) wrong_query: Option<Problem>,
    /// Headers, and what else is in the path.
    pub(super) parameters: Vec<Parameter>,
    pub(super) answers: Vec<Answer>,
    pub(super) refusals: Vec<Problem>,
    /// Schemas that the others refer to, by name.
    pub(super) schemas: Vec<(String, RefOr<Schema>)>,
    /// What is wrong with the documentation itself; a test holds that nothing is.
    pub(super) faults: Vec<String>,
}

/// A body that the route takes.
pub(super) struct Body {
    pub(super) request: RequestBody,
    /// What is said of a body with a member that is not known, and nothing else.
    pub(super) wrong: Option<Problem>,
}

/// An answer that is no problem.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) response: ResponseBuilder,
}

impl Operation {
    /// `id` is what generated clients call it, and never changes.
    pub(crate) fn new(id: &'static str, tag: Tag, summary: &'static str) -> Self {
        Self {
            id,
            summary,
            about: "",
            tag,
            body: None,
            query: Vec::new(),
            wrong_query: None,
            parameters: Vec::new(),
            answers: Vec::new(),
            refusals: Vec::new(),
            schemas: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// What a caller has to know beyond the summary, in Markdown.
    pub(crate) fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    /// It takes a JSON body. The example has to be a good one.
    pub(crate) fn takes<T>(mut self, example: Value) -> Self
    where
        T: ToSchema + DeserializeOwned + Validate<Context = ()>,
    {
        let wrong = Value::from_iter([(UNKNOWN, "red")]);
        let content =
            Content::builder().schema(Some(self.refer::<T>())).example(Some(example.clone())).build();
        let request = RequestBodyBuilder::new().content(JSON, content).required(Some(Required::True)).build();
        if let Err(problem) = check_body::<T>(example) {
            self.faults.push(format!("the example of a body is refused: {}", problem.detail));
        }
        self.body = Some(Body { request, wrong: check_body::<T>(wrong).err() });
        self
    }

    /// It takes a list of 1 to `most` of these. The example has to be a good one.
    pub(crate) fn takes_list<T>(mut self, most: usize, example: Value) -> Self
    where
        T: ToSchema + DeserializeOwned + Validate<Context = ()>,
    {
        let list = ArrayBuilder::new().items(self.refer::<T>()).min_items(Some(1)).max_items(Some(most));
        let content = Content::builder().schema(Some(list.build())).example(Some(example.clone())).build();
        let request = RequestBodyBuilder::new().content(JSON, content).required(Some(Required::True)).build();
        if let Err(problem) = check_list::<T>(example, most) {
            self.faults.push(format!("the example of a body is refused: {}", problem.detail));
        }
        let wrong = Value::from(vec![Value::from_iter([(UNKNOWN, "red")])]);
        self.body = Some(Body { request, wrong: check_list::<T>(wrong, most).err() });
        self
    }

    /// It takes no body, or one without members.
    pub(crate) fn takes_nothing(self) -> Self {
        let empty = ObjectBuilder::new()
            .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
            .build();
        let example = Value::Object(serde_json::Map::new());
        let content = Content::builder().schema(Some(empty)).example(Some(example)).build();
        let request =
            RequestBodyBuilder::new().content(JSON, content).required(Some(Required::False)).build();
        let wrong = check_no_body(Value::from_iter([(UNKNOWN, "red")])).err();
        Self { body: Some(Body { request, wrong }), ..self }
    }

    /// It has this parameter in its path, beside `{id}`.
    pub(crate) fn at(mut self, name: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.parameters.push(schemas::in_path(name, schema.into()));
        self
    }

    /// The body has to keep to these keywords of JSON Schema as well, for which the schema of a single member has no place.
    pub(crate) fn also(mut self, keywords: Value) -> Self {
        if let (Some((_, RefOr::T(Schema::Object(object)))), Value::Object(keywords)) =
            (self.schemas.first_mut(), keywords)
        {
            object.extensions.get_or_insert_default().extend(keywords);
        }
        self
    }

    /// It takes a query: every member of the DTO is a parameter.
    pub(crate) fn asks<Q: Parameters + ToSchema>(self) -> Self {
        Self {
            query: schemas::parameters(Q::schema()),
            wrong_query: check_query::<Q>(&format!("{UNKNOWN}=red")).err(),
            ..self
        }
    }

    /// It answers with this JSON. Without a sample the documentation is at fault.
    pub(crate) fn answers<T: Serialize + ToSchema>(
        mut self,
        status: u16,
        meaning: &str,
        sample: Option<T>,
    ) -> Self {
        let example = sample.and_then(|sample| serde_json::to_value(sample).ok());
        let schema = self.refer::<T>();
        self.answer(status, meaning, schema, example)
    }

    /// It answers with a bare list of these, of which there are at most so many if there is a bound.
    pub(crate) fn answers_rows<T: Serialize + ToSchema>(
        mut self,
        meaning: &str,
        most: Option<usize>,
        sample: Option<T>,
    ) -> Self {
        let example = sample.and_then(|sample| serde_json::to_value([sample]).ok());
        let rows = ArrayBuilder::new().items(self.refer::<T>()).max_items(most).build();
        self.answer(200, meaning, Schema::Array(rows), example)
    }

    /// It answers with a page of these.
    pub(crate) fn lists<T: Serialize + ToSchema>(mut self, sample: Option<T>) -> Self {
        let row = sample.and_then(|sample| serde_json::to_value(sample).ok());
        let schema = self.refer::<T>();
        let name = format!("{}List", T::name());
        self.schemas.push((name.clone(), schemas::list_of(schema).into()));
        let example = row.as_ref().map(schemas::list_example);
        self.answer(200, "A page.", Ref::from_schema_name(name), example)
    }

    /// It answers with something that is not JSON of ours.
    pub(crate) fn sends(mut self, status: u16, meaning: &str, media_types: &[&str]) -> Self {
        let content = |builder: ResponseBuilder, media_type: &&str| {
            builder.content(*media_type, Content::builder().build())
        };
        let response = media_types.iter().fold(ResponseBuilder::new().description(meaning), content);
        self.answers.push(Answer { status, response });
        self
    }

    /// The answer before may also come as this, for who asks for it.
    pub(crate) fn or_sends(self, media_type: &str) -> Self {
        self.change_answer(|answer| answer.content(media_type, Content::builder().build()))
            .with_header("Vary", schemas::varies())
    }

    /// It takes a form with a file.
    pub(crate) fn takes_file(self, member: &str, meaning: &str) -> Self {
        let file = terms::plain_text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
        let form = ObjectBuilder::new()
            .property(member, file.description(Some(meaning)))
            .required(member)
            .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
        let content = Content::builder().schema(Some(form.build())).build();
        let request = RequestBodyBuilder::new().content(FORM, content).required(Some(Required::True)).build();
        let place = Place::Pointer(format!("/{UNKNOWN}"));
        let wrong = Problem::invalid(vec![InputError { place, detail: "is not known here".to_owned() }]);
        Self { body: Some(Body { request, wrong: Some(wrong) }), ..self }
    }

    /// It answers with nothing but a status.
    pub(crate) fn empty(self, status: u16, meaning: &str) -> Self {
        self.sends(status, meaning, &[])
    }

    /// The answer before says where the new thing is.
    pub(crate) fn with_location(self, pattern: &str) -> Self {
        self.with_header("Location", schemas::location(pattern))
    }

    /// The answer before carries the version of the thing.
    pub(crate) fn with_etag(self) -> Self {
        self.with_header("ETag", schemas::etag())
    }

    /// The answer before may say where the list goes on.
    pub(crate) fn with_link_to_next(self) -> Self {
        self.change_answer(|answer| answer.header("Link", schemas::link_to_next()))
    }

    /// The answer before always has this header.
    pub(crate) fn with_header(self, name: &str, header: Header) -> Self {
        self.change_answer(|answer| answer.header(name, schemas::always(header)))
    }

    /// What can be called with something from the answer before: `parameter` of `operation` is `value`, a runtime
    /// expression such as `$response.body#/id`.
    pub(crate) fn leads_to(self, name: &str, operation: &str, parameter: &str, value: &str) -> Self {
        let link: Link = LinkBuilder::new().operation_id(operation).parameter(parameter, value).build();
        self.change_answer(|answer| answer.link(name, link))
    }

    /// The same for an operation that takes something from the answer in its body.
    pub(crate) fn leads_to_body(self, name: &str, operation: &str, body: Value) -> Self {
        let link: Link = LinkBuilder::new().operation_id(operation).request_body(Some(body)).build();
        self.change_answer(|answer| answer.link(name, link))
    }

    /// It may be refused with this kind of problem, of which there is a sample.
    pub(crate) fn refuses(self, kind: Kind) -> Self {
        self.refuses_with(samples::problem(kind))
    }

    /// It may be refused with this problem.
    pub(crate) fn refuses_with(mut self, problem: impl Into<Problem>) -> Self {
        self.refusals.push(problem.into());
        self
    }

    /// It honours `If-Match`.
    pub(crate) fn if_match(mut self) -> Self {
        self.parameters.push(schemas::if_match());
        self.refuses(Kind::PreconditionFailed)
    }

    /// It honours `If-None-Match`.
    pub(crate) fn if_none_match(mut self) -> Self {
        self.parameters.push(schemas::if_none_match());
        self
    }

    /// It honours `Idempotency-Key`. The row says so.
    pub(super) fn repeatable(mut self) -> Self {
        self.parameters.push(schemas::idempotency_key());
        self.change_answer(|answer| answer.header("Idempotency-Replayed", schemas::idempotency_replayed()))
            .refuses(Kind::RepeatInFlight)
            .refuses(Kind::RepeatDiffers)
    }

    fn answer(
        mut self,
        status: u16,
        meaning: &str,
        schema: impl Into<RefOr<Schema>>,
        example: Option<Value>,
    ) -> Self {
        if example.is_none() {
            self.faults.push(format!("there is no sample of the answer {status}"));
        }
        let content = Content::builder().schema(Some(schema)).example(example).build();
        let response = ResponseBuilder::new().description(meaning).content(JSON, content);
        self.answers.push(Answer { status, response });
        self
    }

    fn change_answer(mut self, change: impl FnOnce(ResponseBuilder) -> ResponseBuilder) -> Self {
        if let Some(mut last) = self.answers.pop() {
            last.response = change(last.response);
            self.answers.push(last);
        }
        self
    }

    /// Registers a schema, and all that it uses.
    fn refer<T: ToSchema>(&mut self) -> RefOr<Schema> {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
        Ref::from_schema_name(T::name()).into()
    }

    /// What is said of a query where none is taken.
    pub(super) fn wrong_anyway() -> Option<Problem> {
        check_query::<NoParameters>(&format!("{UNKNOWN}=red")).err()
    }
}
