//! compose.yaml: the services fit each other, and the programs accept what they are given.

use serde_json::Map;

use super::*;

/// Services that do their work once.
const JOBS: [&str; 2] = ["migrate", "rabbitmq-definitions"];

fn file() -> Value {
    yaml("deploy/compose.yaml").remove(0)
}

fn services(file: &Value) -> &Map<String, Value> {
    file["services"].as_object().unwrap()
}

/// What a service of ours runs.
fn program_of(service: &str) -> &str {
    if matches!(service, "api" | "migrate") { "techsupport-api" } else { service }
}

/// Those made of our image.
fn ours(file: &Value) -> Vec<(&String, &Value)> {
    let image = format!("techsupport-pro:{VERSION}");
    let found: Vec<_> = services(file).iter().filter(|(_, service)| service["image"] == image).collect();
    assert_eq!(found.len(), 4, "the migration, the API and the workers run this version's image");
    found
}

/// Puts the values of `.env` in. A variable without one, and without a default, is an error, as it is for Compose.
fn interpolated(text: &str, values: &[(String, String)]) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (inside, behind) = after.split_once('}').expect("a closing brace");
        let name: String = inside.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let otherwise = &inside[name.len()..];
        let value = values.iter().find(|(other, _)| *other == name).map(|(_, value)| value.clone());
        let default = otherwise.strip_prefix(":-").map(str::to_owned);
        assert!(default.is_some() || otherwise.starts_with(":?"), "{name} would be empty when it is missing");
        out.push_str(before);
        out.push_str(&value.or(default).unwrap_or_else(|| panic!("{name} is not made by make-secrets")));
        rest = behind;
    }
    out + rest
}

#[test]
fn services_depend_on_services_that_can_be_what_is_waited_for() {
    let file = file();
    for (name, service) in services(&file) {
        for (other, how) in service["depends_on"].as_object().into_iter().flatten() {
            let target = &services(&file)[other];
            match how["condition"].as_str().unwrap() {
                "service_healthy" => {
                    assert!(target["healthcheck"]["test"].is_array(), "{name} waits for {other}");
                }
                "service_completed_successfully" => {
                    assert_eq!(target["restart"], "no", "{name} waits for {other}");
                }
                "service_started" => {}
                other => panic!("{name}: {other}"),
            }
        }
    }
    for program in ["api", "sla-worker", "import-worker"] {
        for job in JOBS {
            let condition = &services(&file)[program]["depends_on"][job]["condition"];
            assert_eq!(
                condition, "service_completed_successfully",
                "{program} starts whatever became of {job}"
            );
        }
    }
}

#[test]
fn whatever_is_named_is_there() {
    let file = file();
    for (name, service) in services(&file) {
        for network in strings(&service["networks"]) {
            assert!(file["networks"].get(&network).is_some(), "{name}: {network}");
        }
        for volume in strings(&service["volumes"]) {
            let source = volume.split(':').next().unwrap();
            let there = match source.strip_prefix("./") {
                Some(path) => root().join("deploy").join(path).exists(),
                None => file["volumes"].get(source).is_some(),
            };
            assert!(there, "{name}: {source}");
        }
    }
    let build = &services(&file)["api"]["build"];
    assert!(root().join("deploy").join(build["context"].as_str().unwrap()).join("Cargo.toml").exists());
    assert!(root().join(build["dockerfile"].as_str().unwrap()).exists());
}

#[test]
fn everything_is_bounded_and_nothing_is_open_to_the_world() {
    let file = file();
    for (name, service) in services(&file) {
        let limits = &service["deploy"]["resources"]["limits"];
        assert!(limits["cpus"].is_string() && limits["memory"].is_string(), "{name} may take everything");
        assert_eq!(service["logging"]["options"]["max-file"], "5", "the log of {name} grows for ever");
        let image = service["image"].as_str().unwrap();
        assert!(image.contains(':') && !image.ends_with(":latest"), "{name}: {image}");
        let restart = if JOBS.contains(&name.as_str()) { "no" } else { "unless-stopped" };
        assert_eq!(service["restart"], restart, "{name}");
        for port in strings(&service["ports"]) {
            assert!(interpolated(&port, &[]).starts_with("127.0.0.1:"), "{name}: {port}");
        }
    }
    for server in ["postgres", "rabbitmq"] {
        assert_eq!(strings(&services(&file)[server]["networks"]), ["backend"]);
    }
    assert_eq!(file["networks"]["backend"]["internal"], true);
}

/// Starting from what make-secrets makes; no secret stands in the file itself.
#[test]
fn programs_start_in_production_with_what_they_are_given() {
    let file = file();
    let (shared, own) = secrets();
    for (name, service) in ours(&file) {
        let mut variables = image::environment();
        for path in strings(&service["env_file"]) {
            assert_eq!(path, "api.env");
            variables.extend(own.clone());
        }
        for (variable, value) in service["environment"].as_object().unwrap() {
            variables.push((variable.clone(), interpolated(value.as_str().unwrap(), &shared)));
        }
        match name.as_str() {
            "api" => accepted_by("techsupport-api", &variables),
            "sla-worker" | "import-worker" => accepted_by(name, &variables),
            "migrate" => assert!(variables.iter().any(|(name, _)| name == "DATABASE_URL")),
            other => panic!("{other}"),
        }
        let given: Vec<&str> =
            service["environment"].as_object().unwrap().values().filter_map(Value::as_str).collect();
        let with_password = |url: &&str| url.contains("://");
        assert!(
            given.iter().copied().filter(with_password).all(|url| url.contains(":?")),
            "{name}: {given:?}"
        );
    }
    for (name, service) in services(&file) {
        for (variable, value) in service["environment"].as_object().into_iter().flatten() {
            if variable.contains("PASS") {
                assert!(value.as_str().unwrap().contains(":?"), "{name}: {variable} has a default");
            }
        }
    }
}

#[test]
fn commands_and_checks_are_those_of_the_programs() {
    let file = file();
    for (name, service) in ours(&file) {
        let mut command = strings(&service["entrypoint"]);
        if command.is_empty() {
            command = image::entrypoint();
        }
        command.extend(strings(&service["command"]));
        let program = command_of_ours(&command);
        assert_eq!(program, program_of(name), "{name}");
        let check = strings(&service["healthcheck"]["test"]);
        if let Some((how, check)) = check.split_first() {
            assert_eq!((how.as_str(), command_of_ours(check)), ("CMD", program));
        }
    }
}

/// In a regular file a line is told once, whatever crashes; the file has to outlive the container.
#[test]
fn notifications_go_to_a_file_on_a_volume_that_is_shown() {
    let file = file();
    let worker = &services(&file)["sla-worker"];
    let target = worker["environment"]["TECHSUPPORT__NOTIFICATIONS__LOG__TARGET"].as_str().unwrap();
    let folder = Path::new(target).parent().unwrap().to_str().unwrap();
    assert!(strings(&worker["volumes"]).contains(&format!("notifications:{folder}")));
    let shown = &services(&file)["notifications"];
    assert!(strings(&shown["volumes"]).contains(&format!("notifications:{folder}:ro")));
    assert!(strings(&shown["command"]).contains(&target.to_owned()));
    assert!(text("deploy/Dockerfile").contains(folder), "the image says whose the folder is");
}

#[test]
fn prometheus_asks_every_program_where_it_answers() {
    let file = file();
    let prometheus = yaml("deploy/prometheus/prometheus.yaml").remove(0);
    let jobs = prometheus["scrape_configs"].as_array().unwrap();
    assert_eq!(jobs.len(), PROGRAMS.len());
    for (job, program) in jobs.iter().zip(PROGRAMS) {
        assert_eq!(job["job_name"], program);
        let (source, port) = (&job["dns_sd_configs"][0], port_of(program, &[]));
        assert_eq!(source["port"].as_u64(), Some(port.into()), "{program}");
        let names = strings(&source["names"]);
        let [service] = names.as_slice() else { panic!("{names:?}") };
        assert!(services(&file).contains_key(service) && program_of(service) == program, "{service}");
    }
    let rules = strings(&prometheus["rule_files"]);
    assert!(rules.iter().all(|rule| root().join("deploy/prometheus").join(rule).exists()), "{rules:?}");
}

/// Docker kills what takes longer to stop.
#[test]
fn programs_have_the_time_to_finish_that_their_settings_give_them() {
    let file = file();
    for name in ["api", "sla-worker", "import-worker"] {
        let needed = stop_s(program_of(name));
        let grace = services(&file)[name]["stop_grace_period"].as_str().unwrap();
        let grace: u64 = grace.strip_suffix('s').unwrap().parse().unwrap();
        assert!(grace >= needed, "{name} has {grace} s and may need {needed} s");
    }
}
