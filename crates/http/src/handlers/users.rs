//! Users, as administrators keep them.

use actix_web::HttpResponse;
use garde::Validate;
use serde::Deserialize;
use serde_json::json;
use techsupport_application::{
    AppError, Entity, SortedBy,
    accounts::{self, ChangeUser},
    ports::UserFilter,
};
use techsupport_domain::{Role, UserId};
use utoipa::ToSchema;

use super::{accounts::UserDto, list::List, rules};
use crate::{
    inbound::{Inbound, Member, Parameters, given, optional},
    openapi::{Operation, Tag, samples, terms},
    problem::Kind,
    routes::Answer,
};

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct UserQuery {
    #[garde(custom(optional(rules::search)))]
    #[schema(schema_with = terms::search)]
    search: Member<String>,
    #[garde(custom(optional(Role::parse)))]
    #[schema(schema_with = terms::role_given)]
    role: Member<String>,
    #[garde(custom(optional(rules::yes_or_no)))]
    #[schema(schema_with = terms::flag)]
    active: Member<String>,
    #[garde(custom(optional(rules::page_number)))]
    #[schema(schema_with = terms::page)]
    page: Member<String>,
    #[garde(custom(optional(rules::page_size)))]
    #[schema(schema_with = terms::page_size)]
    page_size: Member<String>,
    #[garde(custom(optional(rules::cursor)))]
    #[schema(schema_with = terms::cursor)]
    cursor: Member<String>,
}

impl Parameters for UserQuery {}

#[derive(Deserialize, Validate, Default, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(as = UserChange, min_properties = 1)]
struct UserChangeBody {
    #[garde(custom(given(Role::parse)))]
    #[schema(schema_with = terms::role_given)]
    role: Member<String>,
    #[garde(custom(given(rules::flag)))]
    #[schema(schema_with = terms::flag)]
    active: Member<bool>,
}

/// `GET /api/auth/users`
pub(crate) async fn list(inbound: Inbound) -> Answer {
    let query: UserQuery = inbound.query()?;
    let filter = UserFilter {
        role: query.role.take_optional(Role::parse)?,
        active: query.active.take_optional(rules::yes_or_no)?,
        search: query.search.take_optional(rules::search)?.flatten(),
    };
    let list = List::asked(&inbound, &query.page, &query.page_size, &query.cursor, SortedBy::Time)?;
    let paged = inbound.run(move |ctx| accounts::list_users(ctx, &filter, list.page)).await?;
    Ok(list.answer(paged, UserDto::from))
}

/// `GET /api/auth/users/{id}`
pub(crate) async fn show(inbound: Inbound) -> Answer {
    let id = inbound.id(UserId::new)?;
    let user = inbound.run(move |ctx| accounts::who_is(ctx, id)).await?;
    Ok(HttpResponse::Ok().json(UserDto::from(user)))
}

/// `PATCH /api/auth/users/{id}`
pub(crate) async fn change(mut inbound: Inbound) -> Answer {
    let body: UserChangeBody = inbound.json().await?;
    rules::at_least_one("", &[("role", body.role.is_given()), ("active", body.active.is_given())])?;
    let command = ChangeUser {
        id: inbound.id(UserId::new)?,
        role: body.role.take_optional(Role::parse)?,
        active: body.active.take_optional(rules::flag)?,
    };
    let changed = inbound.run(move |ctx| accounts::change_user(ctx, &command)).await?;
    inbound.state().revocations.add(changed.ended);
    Ok(HttpResponse::Ok().json(UserDto::from(changed.user)))
}

fn sample() -> Option<UserDto> {
    samples::user().map(UserDto::from)
}

pub(crate) fn list_docs() -> Operation {
    Operation::new("listUsers", Tag::Users, "Find users")
        .about("Newest first. `search` looks into the e-mail address.")
        .asks::<UserQuery>()
        .lists(sample())
        .leads_to("first", "showUser", "id", "$response.body#/data/0/id")
}

pub(crate) fn show_docs() -> Operation {
    Operation::new("showUser", Tag::Users, "Show a user")
        .answers(200, "The user.", sample())
        .refuses_with(AppError::NotFound(Entity::User))
}

pub(crate) fn change_docs() -> Operation {
    Operation::new("changeUser", Tag::Users, "Give a user another role, or take the access away")
        .about(
            "At least one member; what is not given stays. A new role, or being deactivated, ends every login of the user: the old rights are gone everywhere within a \
             second. What already is as asked for changes nothing and ends nothing.",
        )
        .takes::<UserChangeBody>(json!({"role": "SUPERVISOR"}))
        .answers(200, "The user as it is now.", sample())
        .refuses_with(AppError::NotFound(Entity::User))
        .refuses(Kind::LastAdmin)
}
