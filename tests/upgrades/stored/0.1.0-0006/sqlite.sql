BEGIN TRANSACTION;
CREATE TABLE action_usage (
	day DATE NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	service_name TEXT NOT NULL, 
	action TEXT NOT NULL, 
	count INTEGER DEFAULT 1 NOT NULL, 
	CONSTRAINT pk_action_usage PRIMARY KEY (day, workspace_id, user_id, service_name, action), 
	CONSTRAINT fk_action_usage_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT fk_action_usage_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE
);
INSERT INTO "action_usage" VALUES('2026-11-26','879c4385619c40c3882cd4681a148eac','7fe824d2a5b5426186b39e3a9726208b','notes','publish',1);
INSERT INTO "action_usage" VALUES('2026-11-26','879c4385619c40c3882cd4681a148eac','a599d60f3d374b4987af228b2163888b','notes','export',1);
CREATE TABLE activity_logs (
	id CHAR(32) NOT NULL, 
	action TEXT NOT NULL, 
	actor_id CHAR(32), 
	target_type TEXT NOT NULL, 
	target_id CHAR(32) NOT NULL, 
	workspace_id CHAR(32), 
	detail JSON, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_activity_logs PRIMARY KEY (id), 
	CONSTRAINT fk_activity_logs_actor_id_users FOREIGN KEY(actor_id) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_activity_logs_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE SET NULL
);
INSERT INTO "activity_logs" VALUES('db5af449ec314228adb0a353c0f9977a','service_app_created',NULL,'service_app','be92cbbb609b4bad91360053c790d0b9',NULL,'{"app": "Notes", "service_name": "notes"}','2026-11-26 07:18:43.205182');
INSERT INTO "activity_logs" VALUES('e19252571cfe4b45b677c4f4b5e9dc6b','service_app_created',NULL,'service_app','81ce8b80e8104e4b9d55cc9b2a399f2d',NULL,'{"app": "Tasks", "service_name": "tasks"}','2026-11-26 07:18:45.205182');
INSERT INTO "activity_logs" VALUES('2318180c9f274b148a1268539e80f177','client_app_created',NULL,'client_app','d6a39036d1df411d9b706d851577804f',NULL,'{"app": "Notes"}','2026-11-26 07:18:46.205182');
INSERT INTO "activity_logs" VALUES('878dd7db35724d8892fa8efc8fa0f95e','user_login','a599d60f3d374b4987af228b2163888b','user','a599d60f3d374b4987af228b2163888b',NULL,'{"provider": "corp", "ip": "127.0.0.1", "user_agent": "stage/1.0", "flow": "user"}','2026-11-26 07:18:47.205182');
INSERT INTO "activity_logs" VALUES('221463583c1f4e8b9921fe4f1af6edfe','user_login','f4848711fe4c4c5aa7f26a99f530153b','user','f4848711fe4c4c5aa7f26a99f530153b',NULL,'{"provider": "corp", "ip": "127.0.0.1", "user_agent": "stage/1.0", "flow": "user"}','2026-11-26 07:18:47.205182');
INSERT INTO "activity_logs" VALUES('83428661b8554d77be7a3bbba76842d0','user_login','7fe824d2a5b5426186b39e3a9726208b','user','7fe824d2a5b5426186b39e3a9726208b',NULL,'{"provider": "corp", "ip": "127.0.0.1", "user_agent": "stage/1.0", "flow": "user"}','2026-11-26 07:18:47.205182');
INSERT INTO "activity_logs" VALUES('6696557775ae4dfba95df35635c104d1','user_login','020c4f589c8747a09bd97c892bc5b3f7','user','020c4f589c8747a09bd97c892bc5b3f7',NULL,'{"provider": "corp", "ip": "127.0.0.1", "user_agent": "stage/1.0", "flow": "user"}','2026-11-26 07:18:47.205182');
INSERT INTO "activity_logs" VALUES('6500789e2a8646419852bc2858f503c3','user_logout','020c4f589c8747a09bd97c892bc5b3f7','user','020c4f589c8747a09bd97c892bc5b3f7',NULL,NULL,'2026-11-26 07:18:47.205182');
INSERT INTO "activity_logs" VALUES('da4e6e69ac0c40d68cd675778d6c514a','group_created','a599d60f3d374b4987af228b2163888b','group','fa9c48e1928e45429b4edcd0eb6db79b','879c4385619c40c3882cd4681a148eac','{"name": "Writers"}','2026-11-26 07:18:47.205182');
INSERT INTO "activity_logs" VALUES('8cca868e67f24395b74ebdb5cb24c63c','group_member_added','a599d60f3d374b4987af228b2163888b','user','7fe824d2a5b5426186b39e3a9726208b','879c4385619c40c3882cd4681a148eac','{"group_id": "fa9c48e1-928e-4542-9b4e-dcd0eb6db79b"}','2026-11-26 07:18:47.205182');
INSERT INTO "activity_logs" VALUES('11a256c11782570cbf6aeecd62d88eae','action_denied','7fe824d2a5b5426186b39e3a9726208b','user','7fe824d2a5b5426186b39e3a9726208b','879c4385619c40c3882cd4681a148eac','{"service_name": "notes", "action": "erase", "count": 1}','2026-11-26 07:18:00.000000');
INSERT INTO "activity_logs" VALUES('5573e73a084c51a8a9b124a916cd7aa6','action_denied','a599d60f3d374b4987af228b2163888b','user','a599d60f3d374b4987af228b2163888b','879c4385619c40c3882cd4681a148eac','{"service_name": "notes", "action": "publish", "count": 1}','2026-11-26 07:18:00.000000');
INSERT INTO "activity_logs" VALUES('6c509738af785057a55f7e88c2fbaf96','action_denied','f4848711fe4c4c5aa7f26a99f530153b','user','f4848711fe4c4c5aa7f26a99f530153b','879c4385619c40c3882cd4681a148eac','{"service_name": "notes", "action": "publish", "count": 1}','2026-11-26 07:18:00.000000');
INSERT INTO "activity_logs" VALUES('6cdfe15b8b5d558bb9ed5f1542f0a630','action_denied','f4848711fe4c4c5aa7f26a99f530153b','user','f4848711fe4c4c5aa7f26a99f530153b','879c4385619c40c3882cd4681a148eac','{"service_name": "notes", "action": "export", "count": 1}','2026-11-26 07:18:00.000000');
INSERT INTO "activity_logs" VALUES('83442d09397850e5aac71d6743612b12','action_denied','7fe824d2a5b5426186b39e3a9726208b','user','7fe824d2a5b5426186b39e3a9726208b','879c4385619c40c3882cd4681a148eac','{"service_name": "notes", "action": "export", "count": 1}','2026-11-26 07:18:00.000000');
INSERT INTO "activity_logs" VALUES('dbd6169c4fcf54fca5ab9129a083c55f','action_denied','a599d60f3d374b4987af228b2163888b','user','a599d60f3d374b4987af228b2163888b','879c4385619c40c3882cd4681a148eac','{"service_name": "notes", "action": "erase", "count": 1}','2026-11-26 07:18:00.000000');
INSERT INTO "activity_logs" VALUES('e798ceced2ac5e91bde0ae4575845f13','action_denied','f4848711fe4c4c5aa7f26a99f530153b','user','f4848711fe4c4c5aa7f26a99f530153b','879c4385619c40c3882cd4681a148eac','{"service_name": "notes", "action": "erase", "count": 1}','2026-11-26 07:18:00.000000');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0006');
CREATE TABLE authorization_codes (
	code_hash CHAR(64) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	client_app_id CHAR(32) NOT NULL, 
	provider TEXT NOT NULL, 
	code_challenge TEXT, 
	code_challenge_method TEXT, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_authorization_codes PRIMARY KEY (code_hash), 
	CONSTRAINT fk_authorization_codes_client_app_id_client_apps FOREIGN KEY(client_app_id) REFERENCES client_apps (id) ON DELETE CASCADE, 
	CONSTRAINT fk_authorization_codes_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE TABLE client_apps (
	id CHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	redirect_uris JSON NOT NULL, 
	is_active BOOLEAN DEFAULT 1 NOT NULL, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	updated_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_client_apps PRIMARY KEY (id), 
	CONSTRAINT fk_client_apps_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL
);
INSERT INTO "client_apps" VALUES('d6a39036d1df411d9b706d851577804f','Notes','["https://notes.example.com/callback"]',1,NULL,'2026-11-26 07:18:46.205182','2026-11-26 07:18:46.205182');
CREATE TABLE group_memberships (
	id CHAR(32) NOT NULL, 
	group_id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	added_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_group_memberships PRIMARY KEY (id), 
	CONSTRAINT fk_group_memberships_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id) ON DELETE CASCADE, 
	CONSTRAINT fk_group_memberships_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_group_memberships_group_id_user_id UNIQUE (group_id, user_id)
);
INSERT INTO "group_memberships" VALUES('c7ad1c6571564d32b23752c2fac18d46','fa9c48e1928e45429b4edcd0eb6db79b','7fe824d2a5b5426186b39e3a9726208b','2026-11-26 07:18:47.205182');
CREATE TABLE group_roles (
	id CHAR(32) NOT NULL, 
	group_id CHAR(32) NOT NULL, 
	role_id CHAR(32) NOT NULL, 
	assigned_by CHAR(32), 
	assigned_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_group_roles PRIMARY KEY (id), 
	CONSTRAINT fk_group_roles_assigned_by_users FOREIGN KEY(assigned_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_group_roles_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id) ON DELETE CASCADE, 
	CONSTRAINT fk_group_roles_role_id_roles FOREIGN KEY(role_id) REFERENCES roles (id) ON DELETE CASCADE, 
	CONSTRAINT uq_group_roles_group_id_role_id UNIQUE (group_id, role_id)
);
INSERT INTO "group_roles" VALUES('9783a7091f4440998bbbb2bf515bbfb3','fa9c48e1928e45429b4edcd0eb6db79b','2195e583791c4e15bd3d4b54efd1ec70','a599d60f3d374b4987af228b2163888b','2026-11-26 07:18:48.205182');
CREATE TABLE groups (
	id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	description TEXT, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_groups PRIMARY KEY (id), 
	CONSTRAINT fk_groups_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_groups_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT uq_groups_workspace_id_name UNIQUE (workspace_id, name)
);
INSERT INTO "groups" VALUES('fa9c48e1928e45429b4edcd0eb6db79b','879c4385619c40c3882cd4681a148eac','Writers',NULL,'a599d60f3d374b4987af228b2163888b','2026-11-26 07:18:47.205182');
CREATE TABLE organization_domains (
	id CHAR(32) NOT NULL, 
	organization_id CHAR(32) NOT NULL, 
	domain TEXT NOT NULL, 
	include_subdomains BOOLEAN DEFAULT 0 NOT NULL, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_organization_domains PRIMARY KEY (id), 
	CONSTRAINT fk_organization_domains_organization_id_organizations FOREIGN KEY(organization_id) REFERENCES organizations (id) ON DELETE CASCADE, 
	CONSTRAINT uq_organization_domains_domain UNIQUE (domain)
);
INSERT INTO "organization_domains" VALUES('8f6bae7c8bc3492db5fd6a236c9da923','e7b4362be3d044a8aaa0ce6582d637d8','example.com',0,'2026-11-26 07:18:34.205182');
CREATE TABLE organizations (
	id CHAR(32) NOT NULL, 
	slug VARCHAR(63) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	is_public BOOLEAN DEFAULT 0 NOT NULL, 
	enabled BOOLEAN DEFAULT 1 NOT NULL, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_organizations PRIMARY KEY (id), 
	CONSTRAINT fk_organizations_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT uq_organizations_slug UNIQUE (slug)
);
INSERT INTO "organizations" VALUES('00000000000000000000000000000001','public','Public',1,1,NULL,'2026-11-26 07:18:25.128050');
INSERT INTO "organizations" VALUES('e7b4362be3d044a8aaa0ce6582d637d8','example','Org',0,1,NULL,'2026-11-26 07:18:33.205182');
CREATE TABLE realms (
	id CHAR(32) NOT NULL, 
	slug VARCHAR(255) NOT NULL, 
	name TEXT NOT NULL, 
	m2m_ttl_s INTEGER DEFAULT (300) NOT NULL, 
	is_active BOOLEAN DEFAULT 1 NOT NULL, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	updated_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_realms PRIMARY KEY (id), 
	CONSTRAINT ck_realms_ck_realms_m2m_ttl_s CHECK (m2m_ttl_s BETWEEN 30 AND 3600), 
	CONSTRAINT fk_realms_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT uq_realms_slug UNIQUE (slug)
);
INSERT INTO "realms" VALUES('68665195831f49c391a81cda8c1f86ca','suite','Suite',300,1,NULL,'2026-11-26 07:18:44.205182','2026-11-26 07:18:44.205182');
CREATE TABLE refresh_families (
	id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	client_app_id CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	last_ip TEXT, 
	last_user_agent TEXT, 
	revoked_at DATETIME, 
	revoke_reason TEXT, 
	CONSTRAINT pk_refresh_families PRIMARY KEY (id), 
	CONSTRAINT fk_refresh_families_client_app_id_client_apps FOREIGN KEY(client_app_id) REFERENCES client_apps (id) ON DELETE SET NULL, 
	CONSTRAINT fk_refresh_families_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT fk_refresh_families_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE
);
INSERT INTO "refresh_families" VALUES('7dcc4dad8de84f9fbdf0e052b07f4145','a599d60f3d374b4987af228b2163888b','879c4385619c40c3882cd4681a148eac','d6a39036d1df411d9b706d851577804f','2026-11-26 07:18:47.205182','127.0.0.1','stage/1.0',NULL,NULL);
INSERT INTO "refresh_families" VALUES('5d4cd4be77da4d74ae07ccdb5a97d1f0','f4848711fe4c4c5aa7f26a99f530153b','879c4385619c40c3882cd4681a148eac','d6a39036d1df411d9b706d851577804f','2026-11-26 07:18:47.205182','127.0.0.1','stage/1.0',NULL,NULL);
INSERT INTO "refresh_families" VALUES('bf1afdd7c78c4485a1f869af50ea0d33','7fe824d2a5b5426186b39e3a9726208b','879c4385619c40c3882cd4681a148eac','d6a39036d1df411d9b706d851577804f','2026-11-26 07:18:47.205182','127.0.0.1','stage/1.0',NULL,NULL);
INSERT INTO "refresh_families" VALUES('5b28e6342ebb4133b86aad2b82a823a9','020c4f589c8747a09bd97c892bc5b3f7','879c4385619c40c3882cd4681a148eac','d6a39036d1df411d9b706d851577804f','2026-11-26 07:18:47.205182','127.0.0.1','stage/1.0','2026-11-26 07:18:47.205182','logout');
CREATE TABLE refresh_tokens (
	jti CHAR(32) NOT NULL, 
	family_id CHAR(32) NOT NULL, 
	access_jti CHAR(32) NOT NULL, 
	access_expires_at DATETIME NOT NULL, 
	issued_at DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	consumed_at DATETIME, 
	CONSTRAINT pk_refresh_tokens PRIMARY KEY (jti), 
	CONSTRAINT fk_refresh_tokens_family_id_refresh_families FOREIGN KEY(family_id) REFERENCES refresh_families (id) ON DELETE CASCADE
);
INSERT INTO "refresh_tokens" VALUES('b1f90b2bc65e49aabbb7015fb08cc482','7dcc4dad8de84f9fbdf0e052b07f4145','9117916eae774565aadd64d1800b58d0','2026-11-26 07:33:47.000000','2026-11-26 07:18:47.205182','2026-12-03 07:18:47.000000',NULL);
INSERT INTO "refresh_tokens" VALUES('87a5dfebe1684071bb06f06c38949c12','5d4cd4be77da4d74ae07ccdb5a97d1f0','4171adbb03f447f081ebc96e4f75ea44','2026-11-26 07:33:47.000000','2026-11-26 07:18:47.205182','2026-12-03 07:18:47.000000',NULL);
INSERT INTO "refresh_tokens" VALUES('9a2f7fa25ffa4b33bc8cffa4369cd7d9','bf1afdd7c78c4485a1f869af50ea0d33','9270b1bfd4164882880741cc30547ac6','2026-11-26 07:33:47.000000','2026-11-26 07:18:47.205182','2026-12-03 07:18:47.000000','2026-11-26 07:18:47.205182');
INSERT INTO "refresh_tokens" VALUES('caa1014b5e224ce0a272a625ce4fecbd','bf1afdd7c78c4485a1f869af50ea0d33','83f7679dd842400793047a79ff6c9911','2026-11-26 07:33:47.000000','2026-11-26 07:18:47.205182','2026-12-03 07:18:47.000000',NULL);
CREATE TABLE resource_permissions (
	id CHAR(32) NOT NULL, 
	service_name TEXT NOT NULL, 
	resource_type TEXT NOT NULL, 
	resource_id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	owner_id CHAR(32), 
	visibility TEXT DEFAULT 'workspace' NOT NULL, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_resource_permissions PRIMARY KEY (id), 
	CONSTRAINT ck_resource_permissions_ck_resource_permissions_visibility CHECK (visibility IN ('private', 'workspace')), 
	CONSTRAINT fk_resource_permissions_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_resource_permissions_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT uq_resource_permissions_service_name_resource_type_resource_id UNIQUE (service_name, resource_type, resource_id)
);
INSERT INTO "resource_permissions" VALUES('4eae80a97baf43018c490db0ab4352b4','notes','document','42f42ff9df505b758c16cbe77cbfbbf1','879c4385619c40c3882cd4681a148eac','a599d60f3d374b4987af228b2163888b','workspace','2026-11-26 07:18:47.205182');
INSERT INTO "resource_permissions" VALUES('0ce825a192a649e6a51ffa2896fb9ab2','notes','document','239080f3488258a7bc7938505d4d50a3','879c4385619c40c3882cd4681a148eac','a599d60f3d374b4987af228b2163888b','private','2026-11-26 07:18:47.205182');
INSERT INTO "resource_permissions" VALUES('1dc1afea57e34c939f1e26a01982c3b0','notes','document','c5f0f74506285e748b55d4f1723e07e4','879c4385619c40c3882cd4681a148eac','a599d60f3d374b4987af228b2163888b','private','2026-11-26 07:18:47.205182');
INSERT INTO "resource_permissions" VALUES('d5fdc77207904b70ae697996eb1b098f','notes','document','6fbdb7903ad4546396f386f6a3bd7c84','879c4385619c40c3882cd4681a148eac','a599d60f3d374b4987af228b2163888b','private','2026-11-26 07:18:47.205182');
INSERT INTO "resource_permissions" VALUES('391fe48b12a04e10afc11424190ea3f6','notes','document','633f109e0bd252a6aed0eed426da5aa4','879c4385619c40c3882cd4681a148eac','a599d60f3d374b4987af228b2163888b','private','2026-11-26 07:18:47.205182');
INSERT INTO "resource_permissions" VALUES('655e52f69e4c4c1f8be1ec23f57c007a','notes','document','a50cfad526e05c558fcc80fafeca6715','879c4385619c40c3882cd4681a148eac','a599d60f3d374b4987af228b2163888b','private','2026-11-26 07:18:47.205182');
CREATE TABLE resource_share_counts (
	resource_permission_id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	service_name TEXT NOT NULL, 
	shares INTEGER NOT NULL, 
	CONSTRAINT pk_resource_share_counts PRIMARY KEY (resource_permission_id)
);
INSERT INTO "resource_share_counts" VALUES('1dc1afea57e34c939f1e26a01982c3b0','879c4385619c40c3882cd4681a148eac','notes',1);
INSERT INTO "resource_share_counts" VALUES('d5fdc77207904b70ae697996eb1b098f','879c4385619c40c3882cd4681a148eac','notes',1);
INSERT INTO "resource_share_counts" VALUES('391fe48b12a04e10afc11424190ea3f6','879c4385619c40c3882cd4681a148eac','notes',2);
CREATE TABLE resource_shares (
	id CHAR(32) NOT NULL, 
	resource_permission_id CHAR(32) NOT NULL, 
	grantee_type TEXT NOT NULL, 
	grantee_id CHAR(32) NOT NULL, 
	permission TEXT NOT NULL, 
	granted_by CHAR(32), 
	granted_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_resource_shares PRIMARY KEY (id), 
	CONSTRAINT ck_resource_shares_ck_resource_shares_grantee_type CHECK (grantee_type IN ('user', 'group')), 
	CONSTRAINT ck_resource_shares_ck_resource_shares_permission CHECK (permission IN ('view', 'edit')), 
	CONSTRAINT fk_resource_shares_granted_by_users FOREIGN KEY(granted_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_resource_shares_resource_permission_id_resource_permissions FOREIGN KEY(resource_permission_id) REFERENCES resource_permissions (id) ON DELETE CASCADE, 
	CONSTRAINT uq_resource_shares_grantee UNIQUE (resource_permission_id, grantee_type, grantee_id)
);
INSERT INTO "resource_shares" VALUES('8b6ea89c67cc4ad99409ec05b2e58085','1dc1afea57e34c939f1e26a01982c3b0','user','f4848711fe4c4c5aa7f26a99f530153b','view','a599d60f3d374b4987af228b2163888b','2026-11-26 07:18:47.205182');
INSERT INTO "resource_shares" VALUES('3d22820aaff144919435967558fa35a4','d5fdc77207904b70ae697996eb1b098f','group','fa9c48e1928e45429b4edcd0eb6db79b','edit','a599d60f3d374b4987af228b2163888b','2026-11-26 07:18:47.205182');
INSERT INTO "resource_shares" VALUES('83086ddee11743eebd30e5adb58153fd','391fe48b12a04e10afc11424190ea3f6','user','f4848711fe4c4c5aa7f26a99f530153b','view','a599d60f3d374b4987af228b2163888b','2026-11-26 07:18:47.205182');
INSERT INTO "resource_shares" VALUES('94f1a08fea2e4dd08831b09db218b47b','391fe48b12a04e10afc11424190ea3f6','group','fa9c48e1928e45429b4edcd0eb6db79b','edit','a599d60f3d374b4987af228b2163888b','2026-11-26 07:18:47.205182');
CREATE TABLE revoked_tokens (
	jti CHAR(32) NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_revoked_tokens PRIMARY KEY (jti)
);
INSERT INTO "revoked_tokens" VALUES('445970268e0b455facabbad0f6e19ee0','2026-11-26 07:33:47.000000');
INSERT INTO "revoked_tokens" VALUES('255ce78ebca152faa54fa2accb87f2a1','2026-11-26 07:18:47.205182');
CREATE TABLE role_actions (
	id CHAR(32) NOT NULL, 
	role_id CHAR(32) NOT NULL, 
	service_action_id CHAR(32) NOT NULL, 
	CONSTRAINT pk_role_actions PRIMARY KEY (id), 
	CONSTRAINT fk_role_actions_role_id_roles FOREIGN KEY(role_id) REFERENCES roles (id) ON DELETE CASCADE, 
	CONSTRAINT fk_role_actions_service_action_id_service_actions FOREIGN KEY(service_action_id) REFERENCES service_actions (id) ON DELETE CASCADE, 
	CONSTRAINT uq_role_actions_role_id_service_action_id UNIQUE (role_id, service_action_id)
);
INSERT INTO "role_actions" VALUES('f754302616c545a08aae43267fb068b2','2195e583791c4e15bd3d4b54efd1ec70','4abc680c1dc148c7ab9e88021342849d');
INSERT INTO "role_actions" VALUES('d6acd4d0111f44bebcd94bfe12837a32','3f91d9cc49084fdab87707cb617fbbb5','b15e29315c2a4ff0ae37bc1385cb62df');
CREATE TABLE roles (
	id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	description TEXT, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_roles PRIMARY KEY (id), 
	CONSTRAINT fk_roles_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_roles_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT uq_roles_workspace_id_name UNIQUE (workspace_id, name)
);
INSERT INTO "roles" VALUES('2195e583791c4e15bd3d4b54efd1ec70','879c4385619c40c3882cd4681a148eac','Press','…','a599d60f3d374b4987af228b2163888b','2026-11-26 07:18:47.205182');
INSERT INTO "roles" VALUES('3f91d9cc49084fdab87707cb617fbbb5','879c4385619c40c3882cd4681a148eac','Office','…','a599d60f3d374b4987af228b2163888b','2026-11-26 07:18:47.205182');
CREATE TABLE service_actions (
	id CHAR(32) NOT NULL, 
	service_name TEXT NOT NULL, 
	action TEXT NOT NULL, 
	description TEXT, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_service_actions PRIMARY KEY (id), 
	CONSTRAINT uq_service_actions_service_name_action UNIQUE (service_name, action)
);
INSERT INTO "service_actions" VALUES('2a9ddfffa6e84c48a28cd8ab40cf5cf2','notes','erase','To erase','2026-11-26 07:18:47.205182');
INSERT INTO "service_actions" VALUES('b15e29315c2a4ff0ae37bc1385cb62df','notes','export','To export','2026-11-26 07:18:47.205182');
INSERT INTO "service_actions" VALUES('4abc680c1dc148c7ab9e88021342849d','notes','publish','To publish','2026-11-26 07:18:47.205182');
CREATE TABLE service_apps (
	id CHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	service_name VARCHAR(255) NOT NULL, 
	key_hash CHAR(64) NOT NULL, 
	key_prefix VARCHAR(12) NOT NULL, 
	previous_key_hash CHAR(64), 
	previous_key_expires_at DATETIME, 
	is_active BOOLEAN DEFAULT 1 NOT NULL, 
	allowed_origins JSON NOT NULL, 
	allowed_idp_audiences JSON NOT NULL, 
	realm_id CHAR(32), 
	last_used_at DATETIME, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	updated_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_service_apps PRIMARY KEY (id), 
	CONSTRAINT fk_service_apps_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_service_apps_realm_id_realms FOREIGN KEY(realm_id) REFERENCES realms (id) ON DELETE SET NULL, 
	CONSTRAINT uq_service_apps_key_hash UNIQUE (key_hash), 
	CONSTRAINT uq_service_apps_previous_key_hash UNIQUE (previous_key_hash), 
	CONSTRAINT uq_service_apps_service_name UNIQUE (service_name)
);
INSERT INTO "service_apps" VALUES('be92cbbb609b4bad91360053c790d0b9','Notes','notes','3455fc16e8d678ebb2ac342c677febd1570fbf9e0a9b22b8651bc3a8162aa736','sk_sDWd****',NULL,NULL,1,'[]','[]',NULL,'2026-11-26 07:18:49.205182',NULL,'2026-11-26 07:18:43.205182','2026-11-26 07:18:43.205182');
INSERT INTO "service_apps" VALUES('81ce8b80e8104e4b9d55cc9b2a399f2d','Tasks','tasks','3bde7658aea92c91ff3f0427a02330f680bc634f024a0c9da7ea814840276db8','sk_Q1ZT****',NULL,NULL,1,'[]','[]','68665195831f49c391a81cda8c1f86ca',NULL,NULL,'2026-11-26 07:18:45.205182','2026-11-26 07:18:45.205182');
CREATE TABLE sign_in_memory (
	user_id CHAR(32) NOT NULL, 
	kind TEXT NOT NULL, 
	value TEXT NOT NULL, 
	first_seen DATETIME NOT NULL, 
	last_seen DATETIME NOT NULL, 
	CONSTRAINT pk_sign_in_memory PRIMARY KEY (user_id, kind, value), 
	CONSTRAINT ck_sign_in_memory_ck_sign_in_memory_kind CHECK (kind IN ('country', 'device')), 
	CONSTRAINT fk_sign_in_memory_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "sign_in_memory" VALUES('a599d60f3d374b4987af228b2163888b','device','Other / Other','2026-11-26 07:18:47.205182','2026-11-26 07:18:47.205182');
INSERT INTO "sign_in_memory" VALUES('f4848711fe4c4c5aa7f26a99f530153b','device','Other / Other','2026-11-26 07:18:47.205182','2026-11-26 07:18:47.205182');
INSERT INTO "sign_in_memory" VALUES('7fe824d2a5b5426186b39e3a9726208b','device','Other / Other','2026-11-26 07:18:47.205182','2026-11-26 07:18:47.205182');
INSERT INTO "sign_in_memory" VALUES('020c4f589c8747a09bd97c892bc5b3f7','device','Other / Other','2026-11-26 07:18:47.205182','2026-11-26 07:18:47.205182');
INSERT INTO "sign_in_memory" VALUES('a599d60f3d374b4987af228b2163888b','country','AT','2026-11-26 07:18:47.205182','2026-11-26 07:18:47.205182');
CREATE TABLE social_accounts (
	id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	provider TEXT NOT NULL, 
	provider_user_id TEXT NOT NULL, 
	provider_data JSON, 
	CONSTRAINT pk_social_accounts PRIMARY KEY (id), 
	CONSTRAINT fk_social_accounts_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_social_accounts_provider_provider_user_id UNIQUE (provider, provider_user_id)
);
INSERT INTO "social_accounts" VALUES('23f2b0cfb8494d4f97765ad6bf52203f','a599d60f3d374b4987af228b2163888b','corp','sub-ada','{}');
INSERT INTO "social_accounts" VALUES('32154c429d0b4cad8f1046a5482dd268','f4848711fe4c4c5aa7f26a99f530153b','corp','sub-grace','{}');
INSERT INTO "social_accounts" VALUES('752d64d974714a3aa9f1c10d12d7a0bf','7fe824d2a5b5426186b39e3a9726208b','corp','sub-linus','{}');
INSERT INTO "social_accounts" VALUES('26741c60e2a143789a0eb99bb74c37f2','020c4f589c8747a09bd97c892bc5b3f7','corp','sub-gone','{}');
CREATE TABLE user_roles (
	id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	role_id CHAR(32) NOT NULL, 
	assigned_by CHAR(32), 
	assigned_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_user_roles PRIMARY KEY (id), 
	CONSTRAINT fk_user_roles_assigned_by_users FOREIGN KEY(assigned_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_user_roles_role_id_roles FOREIGN KEY(role_id) REFERENCES roles (id) ON DELETE CASCADE, 
	CONSTRAINT fk_user_roles_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_user_roles_user_id_role_id UNIQUE (user_id, role_id)
);
INSERT INTO "user_roles" VALUES('02ffadf5cdab4cc48c773f938d09e6e7','a599d60f3d374b4987af228b2163888b','3f91d9cc49084fdab87707cb617fbbb5','a599d60f3d374b4987af228b2163888b','2026-11-26 07:18:48.205182');
CREATE TABLE users (
	id CHAR(32) NOT NULL, 
	email TEXT NOT NULL, 
	name TEXT NOT NULL, 
	avatar_url TEXT, 
	is_active BOOLEAN DEFAULT 1 NOT NULL, 
	is_admin BOOLEAN DEFAULT 0 NOT NULL, 
	organization_id CHAR(32), 
	token_epoch INTEGER DEFAULT 0 NOT NULL, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	updated_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_users PRIMARY KEY (id), 
	CONSTRAINT fk_users_organization_id_organizations FOREIGN KEY(organization_id) REFERENCES organizations (id) ON DELETE SET NULL, 
	CONSTRAINT uq_users_email UNIQUE (email)
);
INSERT INTO "users" VALUES('a599d60f3d374b4987af228b2163888b','ada@example.com','Ada Élan',NULL,1,0,'e7b4362be3d044a8aaa0ce6582d637d8',0,'2026-11-26 07:18:25.205182','2026-11-26 07:18:47.205182');
INSERT INTO "users" VALUES('f4848711fe4c4c5aa7f26a99f530153b','grace@example.com','Grace Élan',NULL,1,0,'e7b4362be3d044a8aaa0ce6582d637d8',0,'2026-11-26 07:18:27.205182','2026-11-26 07:18:47.205182');
INSERT INTO "users" VALUES('7fe824d2a5b5426186b39e3a9726208b','linus@example.com','Linus Élan',NULL,1,0,'e7b4362be3d044a8aaa0ce6582d637d8',0,'2026-11-26 07:18:29.205182','2026-11-26 07:18:47.205182');
INSERT INTO "users" VALUES('020c4f589c8747a09bd97c892bc5b3f7','gone@example.com','Gone Élan',NULL,1,0,'e7b4362be3d044a8aaa0ce6582d637d8',1,'2026-11-26 07:18:31.205182','2026-11-26 07:18:47.205182');
CREATE TABLE workspace_allowed_organizations (
	id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	organization_id CHAR(32) NOT NULL, 
	CONSTRAINT pk_workspace_allowed_organizations PRIMARY KEY (id), 
	CONSTRAINT fk_workspace_allowed_organizations_organization_id FOREIGN KEY(organization_id) REFERENCES organizations (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_workspace_allowed_organizations_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT uq_workspace_allowed_organizations_workspace_id_organization_id UNIQUE (workspace_id, organization_id)
);
INSERT INTO "workspace_allowed_organizations" VALUES('34ab648b94754523b371aab85e3f7831','197c8caf39b04119993a09916cc93ed3','e7b4362be3d044a8aaa0ce6582d637d8');
CREATE TABLE workspace_invitations (
	id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	code_hash CHAR(64) NOT NULL, 
	email TEXT, 
	role TEXT NOT NULL, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	expires_at DATETIME NOT NULL, 
	accepted_by CHAR(32), 
	accepted_at DATETIME, 
	revoked_at DATETIME, 
	CONSTRAINT pk_workspace_invitations PRIMARY KEY (id), 
	CONSTRAINT ck_workspace_invitations_ck_workspace_invitations_role CHECK (role IN ('admin', 'editor', 'viewer')), 
	CONSTRAINT fk_workspace_invitations_accepted_by_users FOREIGN KEY(accepted_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_workspace_invitations_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT fk_workspace_invitations_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT uq_workspace_invitations_code_hash UNIQUE (code_hash)
);
CREATE TABLE workspace_memberships (
	id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	user_id CHAR(32) NOT NULL, 
	role TEXT NOT NULL, 
	joined_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_workspace_memberships PRIMARY KEY (id), 
	CONSTRAINT ck_workspace_memberships_ck_workspace_memberships_role CHECK (role IN ('owner', 'admin', 'editor', 'viewer')), 
	CONSTRAINT fk_workspace_memberships_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT fk_workspace_memberships_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT uq_workspace_memberships_workspace_id_user_id UNIQUE (workspace_id, user_id)
);
INSERT INTO "workspace_memberships" VALUES('ea0103fa321747748339bbd7d6fc956e','879c4385619c40c3882cd4681a148eac','a599d60f3d374b4987af228b2163888b','owner','2026-11-26 07:18:36.205182');
INSERT INTO "workspace_memberships" VALUES('4a6d90a54d9a4b70bfba136823f13b6c','197c8caf39b04119993a09916cc93ed3','f4848711fe4c4c5aa7f26a99f530153b','owner','2026-11-26 07:18:38.205182');
INSERT INTO "workspace_memberships" VALUES('d471922b6af84fb497b3c9a211397f01','879c4385619c40c3882cd4681a148eac','f4848711fe4c4c5aa7f26a99f530153b','admin','2026-11-26 07:18:39.205182');
INSERT INTO "workspace_memberships" VALUES('75607b24d7c840fd9aaa09b6e9ae600e','879c4385619c40c3882cd4681a148eac','7fe824d2a5b5426186b39e3a9726208b','viewer','2026-11-26 07:18:40.205182');
INSERT INTO "workspace_memberships" VALUES('48a3bdecc51f4fb0b96d5f81adad63bb','879c4385619c40c3882cd4681a148eac','020c4f589c8747a09bd97c892bc5b3f7','editor','2026-11-26 07:18:41.205182');
CREATE TABLE workspaces (
	id CHAR(32) NOT NULL, 
	slug TEXT NOT NULL, 
	name TEXT NOT NULL, 
	description TEXT, 
	created_by CHAR(32), 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_workspaces PRIMARY KEY (id), 
	CONSTRAINT fk_workspaces_created_by_users FOREIGN KEY(created_by) REFERENCES users (id) ON DELETE SET NULL, 
	CONSTRAINT uq_workspaces_slug UNIQUE (slug)
);
INSERT INTO "workspaces" VALUES('879c4385619c40c3882cd4681a148eac','acme','Acme · Österreich',NULL,'a599d60f3d374b4987af228b2163888b','2026-11-26 07:18:35.205182');
INSERT INTO "workspaces" VALUES('197c8caf39b04119993a09916cc93ed3','elsewhere','Acme',NULL,'f4848711fe4c4c5aa7f26a99f530153b','2026-11-26 07:18:37.205182');
CREATE UNIQUE INDEX uq_organizations_public ON organizations (is_public) WHERE is_public;
CREATE INDEX ix_revoked_tokens_expires_at ON revoked_tokens (expires_at);
CREATE INDEX ix_service_actions_service_name ON service_actions (service_name);
CREATE INDEX ix_organization_domains_organization_id ON organization_domains (organization_id);
CREATE UNIQUE INDEX uq_users_lower_email ON users (lower(email));
CREATE INDEX ix_social_accounts_user_id ON social_accounts (user_id);
CREATE INDEX ix_action_usage_workspace_id ON action_usage (workspace_id);
CREATE INDEX ix_authorization_codes_client_app_id ON authorization_codes (client_app_id);
CREATE INDEX ix_authorization_codes_expires_at ON authorization_codes (expires_at);
CREATE INDEX ix_authorization_codes_user_id ON authorization_codes (user_id);
CREATE INDEX ix_refresh_families_client_app_id ON refresh_families (client_app_id);
CREATE INDEX ix_refresh_families_user_id ON refresh_families (user_id);
CREATE INDEX ix_refresh_families_workspace_id ON refresh_families (workspace_id);
CREATE INDEX ix_roles_workspace_id ON roles (workspace_id);
CREATE INDEX ix_service_apps_is_active ON service_apps (is_active);
CREATE INDEX ix_service_apps_realm_id ON service_apps (realm_id);
CREATE INDEX ix_workspace_allowed_organizations_organization_id ON workspace_allowed_organizations (organization_id);
CREATE INDEX ix_workspace_allowed_organizations_workspace_id ON workspace_allowed_organizations (workspace_id);
CREATE INDEX ix_workspace_invitations_workspace_id ON workspace_invitations (workspace_id);
CREATE INDEX ix_workspace_memberships_user_id ON workspace_memberships (user_id);
CREATE INDEX ix_group_memberships_user_id ON group_memberships (user_id);
CREATE INDEX ix_group_roles_group_id ON group_roles (group_id);
CREATE INDEX ix_group_roles_role_id ON group_roles (role_id);
CREATE INDEX ix_refresh_tokens_expires_at ON refresh_tokens (expires_at);
CREATE INDEX ix_refresh_tokens_family_id ON refresh_tokens (family_id);
CREATE INDEX ix_resource_shares_grantee_type_grantee_id ON resource_shares (grantee_type, grantee_id);
CREATE INDEX ix_role_actions_role_id ON role_actions (role_id);
CREATE INDEX ix_role_actions_service_action_id ON role_actions (service_action_id);
CREATE INDEX ix_user_roles_user_id ON user_roles (user_id);
CREATE INDEX ix_resource_permissions_created_at_id ON resource_permissions (created_at, id);
CREATE INDEX ix_resource_permissions_workspace_id_created_at_id ON resource_permissions (workspace_id, created_at, id);
CREATE INDEX ix_resource_permissions_service_name_created_at_id ON resource_permissions (service_name, created_at, id);
CREATE INDEX ix_resource_permissions_resource_id ON resource_permissions (resource_id);
CREATE INDEX ix_sign_in_memory_last_seen ON sign_in_memory (last_seen);
CREATE INDEX ix_activity_logs_created_at_id_action ON activity_logs (created_at, id, action);
CREATE INDEX ix_activity_logs_action_created_at_id ON activity_logs (action, created_at, id);
CREATE INDEX ix_activity_logs_actor_id_created_at_id ON activity_logs (actor_id, created_at, id);
CREATE INDEX ix_activity_logs_target_type_created_at_id ON activity_logs (target_type, created_at, id);
CREATE INDEX ix_activity_logs_target_type_target_id_created_at_id ON activity_logs (target_type, target_id, created_at, id);
CREATE INDEX ix_activity_logs_workspace_id_created_at_id ON activity_logs (workspace_id, created_at, id);
CREATE INDEX ix_users_created_at_id ON users (created_at, id);
CREATE INDEX ix_users_is_active_created_at_id ON users (is_active, created_at, id);
CREATE INDEX ix_users_organization_id_email ON users (organization_id, email);
CREATE INDEX ix_workspaces_created_at_id ON workspaces (created_at, id);
CREATE INDEX ix_workspace_memberships_workspace_id_joined_at_user_id ON workspace_memberships (workspace_id, joined_at, user_id);
CREATE INDEX ix_groups_workspace_id_created_at_id ON groups (workspace_id, created_at, id);
CREATE INDEX ix_group_memberships_group_id_added_at_user_id ON group_memberships (group_id, added_at, user_id);
CREATE INDEX ix_user_roles_role_id_assigned_at_user_id ON user_roles (role_id, assigned_at, user_id);
CREATE INDEX ix_action_usage_grant ON action_usage (user_id, workspace_id, service_name, action, day);
CREATE INDEX ix_users_administrators ON users (created_at, id) WHERE is_admin = 1;
CREATE TRIGGER resource_shares_added AFTER INSERT ON resource_shares BEGIN
    INSERT INTO resource_share_counts (resource_permission_id, workspace_id, service_name, shares)
    SELECT id, workspace_id, service_name, 1 FROM resource_permissions WHERE id = NEW.resource_permission_id
    ON CONFLICT (resource_permission_id) DO UPDATE SET shares = shares + 1;
END;
CREATE TRIGGER resource_shares_removed AFTER DELETE ON resource_shares BEGIN
    UPDATE resource_share_counts SET shares = shares - 1
    WHERE resource_permission_id = OLD.resource_permission_id;
    DELETE FROM resource_share_counts
    WHERE resource_permission_id = OLD.resource_permission_id AND shares = 0;
END;
CREATE TRIGGER resource_permissions_moved AFTER UPDATE OF service_name ON resource_permissions
WHEN OLD.service_name <> NEW.service_name BEGIN
    UPDATE resource_share_counts SET service_name = NEW.service_name WHERE resource_permission_id = NEW.id;
END;
CREATE INDEX ix_resource_share_counts_all ON resource_share_counts (shares, resource_permission_id);
CREATE INDEX ix_resource_share_counts_workspace ON resource_share_counts (workspace_id, shares, resource_permission_id);
CREATE INDEX ix_resource_share_counts_service ON resource_share_counts (service_name, shares, resource_permission_id);
CREATE INDEX ix_resource_permissions_reach ON resource_permissions (workspace_id, service_name, resource_type, created_at, id);
CREATE INDEX ix_resource_permissions_owner_id_created_at_id ON resource_permissions (owner_id, created_at, id);
COMMIT;
