//! The manifests: what they select is there, and the programs accept what they are given.

use std::collections::BTreeMap;

use techsupport_http::grid_rows;

use super::*;

const FOLDER: &str = "deploy/kubernetes";

fn kustomization(folder: &str) -> Value {
    yaml(&format!("{folder}/kustomization.yaml")).remove(0)
}

/// Every object that is applied, the job as well.
fn objects() -> Vec<Value> {
    let of = |folder: String| {
        let resources = strings(&kustomization(&folder)["resources"]);
        resources.into_iter().flat_map(move |file| yaml(&format!("{folder}/{file}")))
    };
    of(FOLDER.to_owned()).chain(of(format!("{FOLDER}/migrate"))).collect()
}

fn named<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let found = objects.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}"))
}

/// Deployments and the job: whatever makes pods.
fn workloads(objects: &[Value]) -> Vec<&Value> {
    let found: Vec<&Value> = objects.iter().filter(|object| object["spec"]["template"].is_object()).collect();
    assert_eq!(found.len(), PROGRAMS.len() + 1, "the programs and the migration");
    found
}

fn pod(workload: &Value) -> &Value {
    &workload["spec"]["template"]["spec"]
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn containers(workload: &Value) -> impl Iterator<Item = &Value> {
    list(&pod(workload)["initContainers"]).chain(list(&pod(workload)["containers"]))
}

fn is_ours(container: &Value) -> bool {
    container["image"] == "techsupport-pro"
}

fn main_container<'a>(objects: &'a [Value], name: &str) -> &'a Value {
    &pod(named(objects, "Deployment", name))["containers"][0]
}

fn labels(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().into_iter().flatten();
    pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

/// How many workloads have pods that these labels select.
fn selected(objects: &[Value], selector: &Value) -> usize {
    let wanted = labels(selector);
    assert!(!wanted.is_empty(), "it would select everything");
    let of_pods = |workload: &&Value| labels(&workload["spec"]["template"]["metadata"]["labels"]);
    let pods = workloads(objects).into_iter().filter(|workload| {
        let labels = of_pods(workload);
        wanted.iter().all(|(name, value)| labels.get(name) == Some(value))
    });
    pods.count()
}

#[test]
fn every_manifest_is_applied_and_belongs_to_no_namespace() {
    let mut files: Vec<String> = ["", "/migrate"]
        .iter()
        .flat_map(|sub| fs::read_dir(root().join(FOLDER).join(sub.trim_start_matches('/'))).unwrap())
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            name != "kustomization.yaml" && Path::new(name).extension().is_some_and(|is| is == "yaml")
        })
        .collect();
    let mut listed = strings(&kustomization(FOLDER)["resources"]);
    listed.extend(strings(&kustomization(&format!("{FOLDER}/migrate"))["resources"]));
    files.sort();
    listed.sort();
    assert_eq!(files, listed);
    for object in objects() {
        assert!(object["apiVersion"].is_string() && object["metadata"]["name"].is_string(), "{object}");
        assert!(object["metadata"]["namespace"].is_null(), "{object}");
    }
}

#[test]
fn the_programs_and_their_migration_are_of_one_version() {
    let image = kustomization(&format!("{FOLDER}/image"));
    assert_eq!(
        (&image["images"][0]["name"], &image["images"][0]["newTag"]),
        (&"techsupport-pro".into(), &VERSION.into())
    );
    assert_eq!(strings(&kustomization(FOLDER)["components"]), ["image"]);
    assert_eq!(strings(&kustomization(&format!("{FOLDER}/migrate"))["components"]), ["../image"]);
    for workload in workloads(&objects()) {
        assert!(containers(workload).any(is_ours));
    }
}

#[test]
fn selectors_select_what_they_are_meant_for() {
    let objects = objects();
    for object in &objects {
        let name = object["metadata"]["name"].as_str().unwrap();
        let spec = &object["spec"];
        let one = match object["kind"].as_str().unwrap() {
            "Deployment" | "PodDisruptionBudget" => &spec["selector"]["matchLabels"],
            "Service" => &spec["selector"],
            "NetworkPolicy" if name == "techsupport-egress" => {
                assert_eq!(selected(&objects, &spec["podSelector"]["matchLabels"]), 4, "all of ours");
                continue;
            }
            "NetworkPolicy" => &spec["podSelector"]["matchLabels"],
            "HorizontalPodAutoscaler" => {
                let target = &spec["scaleTargetRef"];
                let target =
                    named(&objects, target["kind"].as_str().unwrap(), target["name"].as_str().unwrap());
                assert!(
                    target["spec"]["replicas"].is_null(),
                    "every rollout would undo what the autoscaler did"
                );
                continue;
            }
            "Job" => continue,
            other => panic!("{other}"),
        };
        assert_eq!(selected(&objects, one), 1, "{name}");
        for spread in list(&pod(object)["topologySpreadConstraints"]) {
            assert_eq!(selected(&objects, &spread["labelSelector"]["matchLabels"]), 1, "{name}");
        }
    }
}

#[test]
fn probes_ask_for_what_exists() {
    let objects = objects();
    let routes = grid_rows();
    let public = |path: &str| {
        let mut found = routes.iter().filter(|row| row.method == "GET" && row.path == path);
        found.any(|row| row.cells.iter().all(|cell| cell.refusal.is_none()))
    };
    for name in PROGRAMS {
        let container = main_container(&objects, name);
        for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
            let probe = &container[probe];
            assert!(probe.is_object(), "{name}");
            if probe["exec"].is_object() {
                assert_eq!(command_of_ours(&strings(&probe["exec"]["command"])), name);
                continue;
            }
            let get = &probe["httpGet"];
            assert!(list(&container["ports"]).any(|port| port["name"] == get["port"]), "{name}: {get}");
            let path = get["path"].as_str().unwrap();
            assert!(name != "techsupport-api" || public(path), "{path}");
        }
        // A process that is alive but lacks something is not cured by being killed.
        assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/health/live", "{name}");
    }
}

/// The paths that kubelet asks a worker for; whether it answers, a worker says.
pub(super) fn worker_probes(name: &str) -> Vec<String> {
    let objects = objects();
    let container = main_container(&objects, name);
    let path = |probe| container[probe]["httpGet"]["path"].as_str().unwrap().to_owned();
    ["startupProbe", "readinessProbe", "livenessProbe"].map(path).into()
}

#[test]
fn commands_are_those_of_the_programs() {
    for workload in workloads(&objects()) {
        for container in containers(workload).filter(|container| is_ours(container)) {
            command_of_ours(&strings(&container["command"]));
        }
    }
}

/// Settings from the file, secrets as make-secrets makes them, which docs/operations.md puts into the cluster.
#[test]
fn programs_start_in_production_with_what_they_are_given() {
    let objects = objects();
    assert_eq!(strings(&kustomization(FOLDER)["configMapGenerator"][0]["envs"]), ["settings.env"]);
    let (_, own) = secrets();
    let servers = |key: &str| match key {
        "DATABASE_URL" => {
            "postgres://techsupport:kq0c3P0mC1xZk7cY@db/techsupport?sslmode=verify-full".to_owned()
        }
        "AMQP_URL" => "amqps://techsupport:kq0c3P0mC1xZk7cY@broker/%2f".to_owned(),
        other => panic!("{other}"),
    };
    for name in PROGRAMS {
        let container = main_container(&objects, name);
        let mut variables = image::environment();
        for from in list(&container["envFrom"]) {
            match (from["configMapRef"]["name"].as_str(), from["secretRef"]["name"].as_str()) {
                (Some("techsupport-settings"), None) => {
                    variables.extend(env_file(&text("deploy/kubernetes/settings.env")));
                }
                (None, Some("techsupport-api")) => variables.extend(own.clone()),
                other => panic!("{other:?}"),
            }
        }
        for variable in list(&container["env"]) {
            let from = &variable["valueFrom"]["secretKeyRef"];
            assert_eq!((&from["name"], &from["key"]), (&"techsupport-servers".into(), &variable["name"]));
            let key = from["key"].as_str().unwrap();
            variables.push((key.to_owned(), servers(key)));
        }
        // The last one counts, as it does for Kubernetes.
        let variables: Variables = variables.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect();
        accepted_by(name, &variables);
        let port = container["ports"][0]["containerPort"].as_u64().unwrap();
        let listens = port_of(name, &variables);
        assert_eq!(port, u64::from(listens), "{name}");
        assert_eq!(
            named(&objects, "Deployment", name)["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"],
            port.to_string()
        );
    }
}

/// As the jobs that the alerts ask for: what the lines for Prometheus look at is on each pod.
#[test]
fn prometheus_finds_every_program() {
    let scraped = yaml("deploy/prometheus/kubernetes.yaml").remove(0)["scrape_configs"][0].clone();
    let rule = |label: &str| {
        let asked = |rule: &&Value| strings(&rule["source_labels"]).concat().contains(label);
        list(&scraped["relabel_configs"])
            .find(asked)
            .unwrap_or_else(|| panic!("no rule about {label}"))
            .clone()
    };
    assert_eq!(rule("label_app_kubernetes_io_part_of")["regex"], "techsupport-pro;true");
    assert_eq!(rule("label_app_kubernetes_io_name")["target_label"], "job");
    let ports = rule("container_port_name")["regex"].as_str().unwrap().to_owned();
    let objects = objects();
    for name in PROGRAMS {
        let pods = &named(&objects, "Deployment", name)["spec"]["template"]["metadata"];
        assert_eq!(pods["labels"]["app.kubernetes.io/part-of"], "techsupport-pro");
        assert_eq!(pods["labels"]["app.kubernetes.io/name"], name);
        assert_eq!(pods["annotations"]["prometheus.io/scrape"], "true");
        let port = main_container(&objects, name)["ports"][0]["name"].as_str().unwrap();
        assert!(ports.split('|').any(|one| one == port), "{name}: {port}");
    }
}

#[test]
fn only_the_api_knows_what_only_the_api_needs() {
    let objects = objects();
    for worker in ["sla-worker", "import-worker"] {
        let text = main_container(&objects, worker).to_string();
        assert!(!text.contains("secretRef"), "{text}");
    }
    for workload in workloads(&objects) {
        assert_eq!(pod(workload)["automountServiceAccountToken"], false);
        assert_eq!(pod(workload)["enableServiceLinks"], false);
    }
}

#[test]
fn pods_are_bounded_and_unprivileged() {
    for workload in workloads(&objects()) {
        let security = &pod(workload)["securityContext"];
        assert_eq!((&security["runAsNonRoot"], &security["runAsUser"]), (&true.into(), &65_532.into()));
        assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault");
        for container in containers(workload) {
            let security = &container["securityContext"];
            assert_eq!(security["allowPrivilegeEscalation"], false, "{}", container["name"]);
            assert_eq!(security["readOnlyRootFilesystem"], true, "{}", container["name"]);
            assert_eq!(strings(&security["capabilities"]["drop"]), ["ALL"], "{}", container["name"]);
            let resources = &container["resources"];
            assert!(resources["requests"]["cpu"].is_string() && resources["limits"]["memory"].is_string());
        }
    }
}

/// Kubernetes kills what takes longer, and with it what it was doing.
#[test]
fn programs_have_the_time_to_finish_that_their_settings_give_them() {
    let objects = objects();
    for name in PROGRAMS {
        let needed = stop_s(name);
        let deployment = named(&objects, "Deployment", name);
        let grace = pod(deployment)["terminationGracePeriodSeconds"].as_u64().unwrap();
        let sleep =
            main_container(&objects, name)["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64().unwrap_or(0);
        assert!(grace >= sleep + needed, "{name} has {grace} s and may need {sleep} + {needed} s");
    }
}

#[test]
fn a_notification_is_written_to_a_file_that_outlives_a_crash() {
    let objects = objects();
    let settings: BTreeMap<String, String> =
        env_file(&text("deploy/kubernetes/settings.env")).into_iter().collect();
    let target = Path::new(&settings["TECHSUPPORT__NOTIFICATIONS__LOG__TARGET"]);
    let worker = pod(named(&objects, "Deployment", "sla-worker"));
    let mount = &worker["containers"][0]["volumeMounts"][0];
    assert_eq!(mount["mountPath"].as_str().map(Path::new), target.parent());
    let volume = list(&worker["volumes"]).find(|volume| volume["name"] == mount["name"]).unwrap();
    assert!(volume["emptyDir"]["sizeLimit"].is_string());
    let shown = &worker["containers"][1];
    assert!(strings(&shown["command"]).iter().any(|word| Path::new(word) == target));
    assert_eq!(shown["volumeMounts"][0]["mountPath"], mount["mountPath"]);
}

/// Neither a migration that failed nor one that nobody made lets a new version in, and the old one goes on.
#[test]
fn no_pod_gets_past_a_schema_that_is_behind() {
    let objects = objects();
    for name in PROGRAMS {
        let deployment = named(&objects, "Deployment", name);
        let waiting = strings(&pod(deployment)["initContainers"][0]["command"]);
        assert_eq!(waiting[..3], ["techsupport-api", "migrate", "wait"]);
        let waits: u64 = waiting.last().unwrap().parse().unwrap();
        let deadline = deployment["spec"]["progressDeadlineSeconds"].as_u64().unwrap();
        assert!(deadline > waits, "a rollout that waits for the schema is not failed yet");
        assert_eq!(deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"], 0);
    }
    let job = named(&objects, "Job", "techsupport-migrate");
    assert_eq!(strings(&pod(job)["containers"][0]["command"]), ["techsupport-api", "migrate", "up"]);
}

/// What `rollout` asks of a kubectl that says so about the job.
fn rolled_out(job_is: &str) -> (bool, Vec<String>) {
    let folder = Scratch::new();
    let log = folder.0.join("calls");
    symlink(root().join("tests/fixtures/kubectl"), folder.0.join("kubectl")).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.0.display());
    let mut rollout = Command::new(root().join(FOLDER).join("rollout"));
    rollout.env_clear().env("PATH", path).env("CALLS", &log).env("JOB_IS", job_is);
    let outcome = rollout.args(["--namespace", "desk"]).output().unwrap();
    let calls = fs::read_to_string(log).unwrap();
    assert!(calls.lines().all(|call| call.starts_with("--namespace desk ")), "{calls}");
    (outcome.status.success(), calls.lines().map(|call| call.replacen("--namespace desk ", "", 1)).collect())
}

#[test]
fn the_programs_are_rolled_out_after_a_migration_that_succeeded_and_never_after_another() {
    let applies = |calls: &[String]| -> Vec<String> {
        calls.iter().filter(|call| call.starts_with("apply")).cloned().collect()
    };
    let (went_well, calls) = rolled_out("complete");
    assert!(went_well);
    assert_eq!(applies(&calls), ["apply --kustomize migrate", "apply --kustomize ."]);
    assert!(
        calls.iter().position(|call| call.contains("condition=complete"))
            < calls.iter().position(|call| call.ends_with("--kustomize ."))
    );
    for name in PROGRAMS {
        assert!(calls.contains(&format!("rollout status deployment/{name}")), "{calls:?}");
    }
    let (went_well, calls) = rolled_out("failed");
    assert!(!went_well);
    assert_eq!(applies(&calls), ["apply --kustomize migrate"]);
}
