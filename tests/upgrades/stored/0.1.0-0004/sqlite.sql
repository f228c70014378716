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
INSERT INTO "action_usage" VALUES('2026-11-25','fea695fe18c549f09e21cb1305435d76','0b05249b706346f2b0f50375d154794d','notes','publish',1);
INSERT INTO "action_usage" VALUES('2026-11-25','fea695fe18c549f09e21cb1305435d76','70f4684fa1304be4ae30872af3b46864','notes','export',1);
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
INSERT INTO "activity_logs" VALUES('81b8af017f134396b8b2d17cd6750ad8','service_app_created',NULL,'service_app','c972d2ecafcb4c379c6472c7beb3ea2a',NULL,'{"app": "Notes", "service_name": "notes"}','2026-11-25 23:49:12.146427');
INSERT INTO "activity_logs" VALUES('d0f568ea68c34a28af7fc4d2659b7bdf','service_app_created',NULL,'service_app','b1978b8563fa4e11b003ee6542ebbf7d',NULL,'{"app": "Tasks", "service_name": "tasks"}','2026-11-25 23:49:14.146427');
INSERT INTO "activity_logs" VALUES('fe75a24dd3a64fad9ea020fa84068a24','client_app_created',NULL,'client_app','c180a54b98ea4f2881932e119e508fa8',NULL,'{"app": "Notes"}','2026-11-25 23:49:15.146427');
INSERT INTO "activity_logs" VALUES('8b82d15f478d4a619f400b1b03eea158','user_login','70f4684fa1304be4ae30872af3b46864','user','70f4684fa1304be4ae30872af3b46864',NULL,'{"provider": "corp", "ip": "127.0.0.1", "user_agent": "stage/1.0", "flow": "user"}','2026-11-25 23:49:16.146427');
INSERT INTO "activity_logs" VALUES('c16e379702f04b2da0873cf65721113e','user_login','7ae34e15d6e8400bbcc44ffaac407f77','user','7ae34e15d6e8400bbcc44ffaac407f77',NULL,'{"provider": "corp", "ip": "127.0.0.1", "user_agent": "stage/1.0", "flow": "user"}','2026-11-25 23:49:16.146427');
INSERT INTO "activity_logs" VALUES('12c5b2aa2caa452c8c66815d4a9d22d2','user_login','0b05249b706346f2b0f50375d154794d','user','0b05249b706346f2b0f50375d154794d',NULL,'{"provider": "corp", "ip": "127.0.0.1", "user_agent": "stage/1.0", "flow": "user"}','2026-11-25 23:49:16.146427');
INSERT INTO "activity_logs" VALUES('4aca109bd17a401b9000f781a1b8041c','user_login','5b84403ebd5e45dcba311425034ce40b','user','5b84403ebd5e45dcba311425034ce40b',NULL,'{"provider": "corp", "ip": "127.0.0.1", "user_agent": "stage/1.0", "flow": "user"}','2026-11-25 23:49:16.146427');
INSERT INTO "activity_logs" VALUES('921b7986837b4c46af5e70052990937a','user_logout','5b84403ebd5e45dcba311425034ce40b','user','5b84403ebd5e45dcba311425034ce40b',NULL,NULL,'2026-11-25 23:49:16.146427');
INSERT INTO "activity_logs" VALUES('109673d32a6c472e9ca58c537a83e7aa','group_created','70f4684fa1304be4ae30872af3b46864','group','6aa9924b5bcb43b8a31915326419daeb','fea695fe18c549f09e21cb1305435d76','{"name": "Writers"}','2026-11-25 23:49:16.146427');
INSERT INTO "activity_logs" VALUES('ab8b62500d444094afd921f92991f7e2','group_member_added','70f4684fa1304be4ae30872af3b46864','user','0b05249b706346f2b0f50375d154794d','fea695fe18c549f09e21cb1305435d76','{"group_id": "6aa9924b-5bcb-43b8-a319-15326419daeb"}','2026-11-25 23:49:16.146427');
INSERT INTO "activity_logs" VALUES('3994abc3b9f85faa89f7d30c9dfbb93c','action_denied','70f4684fa1304be4ae30872af3b46864','user','70f4684fa1304be4ae30872af3b46864','fea695fe18c549f09e21cb1305435d76','{"service_name": "notes", "action": "erase", "count": 1}','2026-11-25 23:49:00.000000');
INSERT INTO "activity_logs" VALUES('48349ab4dac95e02b909da05236fb17a','action_denied','7ae34e15d6e8400bbcc44ffaac407f77','user','7ae34e15d6e8400bbcc44ffaac407f77','fea695fe18c549f09e21cb1305435d76','{"service_name": "notes", "action": "publish", "count": 1}','2026-11-25 23:49:00.000000');
INSERT INTO "activity_logs" VALUES('52c6d4c59fd2541ca1fef8675947acb1','action_denied','7ae34e15d6e8400bbcc44ffaac407f77','user','7ae34e15d6e8400bbcc44ffaac407f77','fea695fe18c549f09e21cb1305435d76','{"service_name": "notes", "action": "export", "count": 1}','2026-11-25 23:49:00.000000');
INSERT INTO "activity_logs" VALUES('7953022290ed5821981fddfacddbb93e','action_denied','70f4684fa1304be4ae30872af3b46864','user','70f4684fa1304be4ae30872af3b46864','fea695fe18c549f09e21cb1305435d76','{"service_name": "notes", "action": "publish", "count": 1}','2026-11-25 23:49:00.000000');
INSERT INTO "activity_logs" VALUES('bfbb5ebc4d1051eea14b707cf819874d','action_denied','7ae34e15d6e8400bbcc44ffaac407f77','user','7ae34e15d6e8400bbcc44ffaac407f77','fea695fe18c549f09e21cb1305435d76','{"service_name": "notes", "action": "erase", "count": 1}','2026-11-25 23:49:00.000000');
INSERT INTO "activity_logs" VALUES('f8679b67dd64557aaec8aaea9a312f5a','action_denied','0b05249b706346f2b0f50375d154794d','user','0b05249b706346f2b0f50375d154794d','fea695fe18c549f09e21cb1305435d76','{"service_name": "notes", "action": "erase", "count": 1}','2026-11-25 23:49:00.000000');
INSERT INTO "activity_logs" VALUES('faf9aed9cbdc50d4939ce5ea0c03fee4','action_denied','0b05249b706346f2b0f50375d154794d','user','0b05249b706346f2b0f50375d154794d','fea695fe18c549f09e21cb1305435d76','{"service_name": "notes", "action": "export", "count": 1}','2026-11-25 23:49:00.000000');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0004');
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
INSERT INTO "client_apps" VALUES('c180a54b98ea4f2881932e119e508fa8','Notes','["https://notes.example.com/callback"]',1,NULL,'2026-11-25 23:49:15.146427','2026-11-25 23:49:15.146427');
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
INSERT INTO "group_memberships" VALUES('cfd56629f4eb4f24be56a8621d3b4b6e','6aa9924b5bcb43b8a31915326419daeb','0b05249b706346f2b0f50375d154794d','2026-11-25 23:49:16.146427');
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
INSERT INTO "group_roles" VALUES('15accb5b56824eb0b76f5f0c7ec88dcd','6aa9924b5bcb43b8a31915326419daeb','e2ab4a4497fc47b28700a2dbc90ab40f','70f4684fa1304be4ae30872af3b46864','2026-11-25 23:49:17.146427');
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
INSERT INTO "groups" VALUES('6aa9924b5bcb43b8a31915326419daeb','fea695fe18c549f09e21cb1305435d76','Writers',NULL,'70f4684fa1304be4ae30872af3b46864','2026-11-25 23:49:16.146427');
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
INSERT INTO "organization_domains" VALUES('3e6f042aabd44121bf60c4336ea9ea26','f254c6787ea84ec085eb0423499ce0bc','example.com',0,'2026-11-25 23:49:03.146427');
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
INSERT INTO "organizations" VALUES('00000000000000000000000000000001','public','Public',1,1,NULL,'2026-11-25 23:48:54.083042');
INSERT INTO "organizations" VALUES('f254c6787ea84ec085eb0423499ce0bc','example','Org',0,1,NULL,'2026-11-25 23:49:02.146427');
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
INSERT INTO "realms" VALUES('19867befe9cf4789867c8ee5f686f47e','suite','Suite',300,1,NULL,'2026-11-25 23:49:13.146427','2026-11-25 23:49:13.146427');
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
INSERT INTO "refresh_families" VALUES('f7c4d8f089f14ccd8358e18a57733c06','70f4684fa1304be4ae30872af3b46864','fea695fe18c549f09e21cb1305435d76','c180a54b98ea4f2881932e119e508fa8','2026-11-25 23:49:16.146427','127.0.0.1','stage/1.0',NULL,NULL);
INSERT INTO "refresh_families" VALUES('26d9aa9f0ec4412fa4bd1a3a81c88230','7ae34e15d6e8400bbcc44ffaac407f77','fea695fe18c549f09e21cb1305435d76','c180a54b98ea4f2881932e119e508fa8','2026-11-25 23:49:16.146427','127.0.0.1','stage/1.0',NULL,NULL);
INSERT INTO "refresh_families" VALUES('5ab11f8243014e86850ab9ca207a1132','0b05249b706346f2b0f50375d154794d','fea695fe18c549f09e21cb1305435d76','c180a54b98ea4f2881932e119e508fa8','2026-11-25 23:49:16.146427','127.0.0.1','stage/1.0',NULL,NULL);
INSERT INTO "refresh_families" VALUES('e169166e50c041b39ecb7113549b1ae6','5b84403ebd5e45dcba311425034ce40b','fea695fe18c549f09e21cb1305435d76','c180a54b98ea4f2881932e119e508fa8','2026-11-25 23:49:16.146427','127.0.0.1','stage/1.0','2026-11-25 23:49:16.146427','logout');
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
INSERT INTO "refresh_tokens" VALUES('b6b81659eaef488cbbcb5aea8819eca9','f7c4d8f089f14ccd8358e18a57733c06','2c9f89da4bb24083b82811b4372d147c','2026-11-26 00:04:16.000000','2026-11-25 23:49:16.146427','2026-12-02 23:49:16.000000',NULL);
INSERT INTO "refresh_tokens" VALUES('499352d20c8b442787013b0f7d3de336','26d9aa9f0ec4412fa4bd1a3a81c88230','14eecd6137334fcf9f531c644343a0ea','2026-11-26 00:04:16.000000','2026-11-25 23:49:16.146427','2026-12-02 23:49:16.000000',NULL);
INSERT INTO "refresh_tokens" VALUES('675694d5469c4e4fbd6592f8ef3aca1e','5ab11f8243014e86850ab9ca207a1132','3a1b8249e58b42c4a6d1305053dd49ea','2026-11-26 00:04:16.000000','2026-11-25 23:49:16.146427','2026-12-02 23:49:16.000000','2026-11-25 23:49:16.146427');
INSERT INTO "refresh_tokens" VALUES('6d0a57bf321c4fdab05f90562c74c30d','5ab11f8243014e86850ab9ca207a1132','2b626015d24e463bb92c9833182b688e','2026-11-26 00:04:16.000000','2026-11-25 23:49:16.146427','2026-12-02 23:49:16.000000',NULL);
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
INSERT INTO "resource_permissions" VALUES('3d06d4eaf20c4d1c834a351c67d52f48','notes','document','42f42ff9df505b758c16cbe77cbfbbf1','fea695fe18c549f09e21cb1305435d76','70f4684fa1304be4ae30872af3b46864','workspace','2026-11-25 23:49:16.146427');
INSERT INTO "resource_permissions" VALUES('753f0dc03a2c46cbb2987f8a68eb7911','notes','document','239080f3488258a7bc7938505d4d50a3','fea695fe18c549f09e21cb1305435d76','70f4684fa1304be4ae30872af3b46864','private','2026-11-25 23:49:16.146427');
INSERT INTO "resource_permissions" VALUES('38a41f507aa04f948b69eff2a26a3d7e','notes','document','c5f0f74506285e748b55d4f1723e07e4','fea695fe18c549f09e21cb1305435d76','70f4684fa1304be4ae30872af3b46864','private','2026-11-25 23:49:16.146427');
INSERT INTO "resource_permissions" VALUES('fadb127e32c14b6f8bbe055d3f81df93','notes','document','6fbdb7903ad4546396f386f6a3bd7c84','fea695fe18c549f09e21cb1305435d76','70f4684fa1304be4ae30872af3b46864','private','2026-11-25 23:49:16.146427');
INSERT INTO "resource_permissions" VALUES('c83ae4fb8bec4ca09a72b6ef77a87167','notes','document','633f109e0bd252a6aed0eed426da5aa4','fea695fe18c549f09e21cb1305435d76','70f4684fa1304be4ae30872af3b46864','private','2026-11-25 23:49:16.146427');
INSERT INTO "resource_permissions" VALUES('324237631c7f4724aa638052d5aa348a','notes','document','a50cfad526e05c558fcc80fafeca6715','fea695fe18c549f09e21cb1305435d76','70f4684fa1304be4ae30872af3b46864','private','2026-11-25 23:49:16.146427');
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
INSERT INTO "resource_shares" VALUES('db40b1ae68334661bbd8e589886fdb4f','38a41f507aa04f948b69eff2a26a3d7e','user','7ae34e15d6e8400bbcc44ffaac407f77','view','70f4684fa1304be4ae30872af3b46864','2026-11-25 23:49:16.146427');
INSERT INTO "resource_shares" VALUES('87eb580b422544f3936c06ec5cc0dc1c','fadb127e32c14b6f8bbe055d3f81df93','group','6aa9924b5bcb43b8a31915326419daeb','edit','70f4684fa1304be4ae30872af3b46864','2026-11-25 23:49:16.146427');
INSERT INTO "resource_shares" VALUES('90483cf5538a4db294a6adfefeef851a','c83ae4fb8bec4ca09a72b6ef77a87167','user','7ae34e15d6e8400bbcc44ffaac407f77','view','70f4684fa1304be4ae30872af3b46864','2026-11-25 23:49:16.146427');
INSERT INTO "resource_shares" VALUES('5407de6b2bdd4edb961e9c7a0158b008','c83ae4fb8bec4ca09a72b6ef77a87167','group','6aa9924b5bcb43b8a31915326419daeb','edit','70f4684fa1304be4ae30872af3b46864','2026-11-25 23:49:16.146427');
CREATE TABLE revoked_tokens (
	jti CHAR(32) NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_revoked_tokens PRIMARY KEY (jti)
);
INSERT INTO "revoked_tokens" VALUES('9e65c6cdba054f77a3147fa759d96623','2026-11-26 00:04:16.000000');
INSERT INTO "revoked_tokens" VALUES('255ce78ebca152faa54fa2accb87f2a1','2026-11-25 23:49:16.146427');
CREATE TABLE role_actions (
	id CHAR(32) NOT NULL, 
	role_id CHAR(32) NOT NULL, 
	service_action_id CHAR(32) NOT NULL, 
	CONSTRAINT pk_role_actions PRIMARY KEY (id), 
	CONSTRAINT fk_role_actions_role_id_roles FOREIGN KEY(role_id) REFERENCES roles (id) ON DELETE CASCADE, 
	CONSTRAINT fk_role_actions_service_action_id_service_actions FOREIGN KEY(service_action_id) REFERENCES service_actions (id) ON DELETE CASCADE, 
	CONSTRAINT uq_role_actions_role_id_service_action_id UNIQUE (role_id, service_action_id)
);
INSERT INTO "role_actions" VALUES('c72d42fd6c29459296e50b924880146b','e2ab4a4497fc47b28700a2dbc90ab40f','663f5552c5ba4090ac3318df64ea53f6');
INSERT INTO "role_actions" VALUES('0690f7018e3a473999fc182b22bc0c93','27515fa8fb6d4290a9921e81afc67f8a','948cce46b0754848b8a7c4e8d3cc31bc');
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
INSERT INTO "roles" VALUES('e2ab4a4497fc47b28700a2dbc90ab40f','fea695fe18c549f09e21cb1305435d76','Press','…','70f4684fa1304be4ae30872af3b46864','2026-11-25 23:49:16.146427');
INSERT INTO "roles" VALUES('27515fa8fb6d4290a9921e81afc67f8a','fea695fe18c549f09e21cb1305435d76','Office','…','70f4684fa1304be4ae30872af3b46864','2026-11-25 23:49:16.146427');
CREATE TABLE service_actions (
	id CHAR(32) NOT NULL, 
	service_name TEXT NOT NULL, 
	action TEXT NOT NULL, 
	description TEXT, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	CONSTRAINT pk_service_actions PRIMARY KEY (id), 
	CONSTRAINT uq_service_actions_service_name_action UNIQUE (service_name, action)
);
INSERT INTO "service_actions" VALUES('e7dc6fba231940baa97f5e2c798d96f6','notes','erase','To erase','2026-11-25 23:49:16.146427');
INSERT INTO "service_actions" VALUES('948cce46b0754848b8a7c4e8d3cc31bc','notes','export','To export','2026-11-25 23:49:16.146427');
INSERT INTO "service_actions" VALUES('663f5552c5ba4090ac3318df64ea53f6','notes','publish','To publish','2026-11-25 23:49:16.146427');
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
INSERT INTO "service_apps" VALUES('c972d2ecafcb4c379c6472c7beb3ea2a','Notes','notes','48ec3317ed3c57e4c83fb0e06c06f3dfe42d22618bf8acea2c3a783549a8a922','sk_A8iI****',NULL,NULL,1,'[]','[]',NULL,'2026-11-25 23:49:18.146427',NULL,'2026-11-25 23:49:12.146427','2026-11-25 23:49:12.146427');
INSERT INTO "service_apps" VALUES('b1978b8563fa4e11b003ee6542ebbf7d','Tasks','tasks','ec0ea497285fa974beceaf2c52fef0240fd0552ee4941e85447944fbac6f6f3e','sk_6ric****',NULL,NULL,1,'[]','[]','19867befe9cf4789867c8ee5f686f47e',NULL,NULL,'2026-11-25 23:49:14.146427','2026-11-25 23:49:14.146427');
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
INSERT INTO "sign_in_memory" VALUES('70f4684fa1304be4ae30872af3b46864','device','Other / Other','2026-11-25 23:49:16.146427','2026-11-25 23:49:16.146427');
INSERT INTO "sign_in_memory" VALUES('7ae34e15d6e8400bbcc44ffaac407f77','device','Other / Other','2026-11-25 23:49:16.146427','2026-11-25 23:49:16.146427');
INSERT INTO "sign_in_memory" VALUES('0b05249b706346f2b0f50375d154794d','device','Other / Other','2026-11-25 23:49:16.146427','2026-11-25 23:49:16.146427');
INSERT INTO "sign_in_memory" VALUES('5b84403ebd5e45dcba311425034ce40b','device','Other / Other','2026-11-25 23:49:16.146427','2026-11-25 23:49:16.146427');
INSERT INTO "sign_in_memory" VALUES('70f4684fa1304be4ae30872af3b46864','country','AT','2026-11-25 23:49:16.146427','2026-11-25 23:49:16.146427');
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
INSERT INTO "social_accounts" VALUES('5a37d2a4682a42489d5e9cbdbcc382dc','70f4684fa1304be4ae30872af3b46864','corp','sub-ada','{}');
INSERT INTO "social_accounts" VALUES('615d39be8f3542a8bd95bbb96c460394','7ae34e15d6e8400bbcc44ffaac407f77','corp','sub-grace','{}');
INSERT INTO "social_accounts" VALUES('71dfaf855d9449cc9067690b8a618ddc','0b05249b706346f2b0f50375d154794d','corp','sub-linus','{}');
INSERT INTO "social_accounts" VALUES('2c731fc322214d24baac7437140dd942','5b84403ebd5e45dcba311425034ce40b','corp','sub-gone','{}');
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
INSERT INTO "user_roles" VALUES('e36e0db4bc23478fb54d45b9e7e967ab','70f4684fa1304be4ae30872af3b46864','27515fa8fb6d4290a9921e81afc67f8a','70f4684fa1304be4ae30872af3b46864','2026-11-25 23:49:17.146427');
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
INSERT INTO "users" VALUES('70f4684fa1304be4ae30872af3b46864','ada@example.com','Ada Élan',NULL,1,0,'f254c6787ea84ec085eb0423499ce0bc',0,'2026-11-25 23:48:54.146427','2026-11-25 23:49:16.146427');
INSERT INTO "users" VALUES('7ae34e15d6e8400bbcc44ffaac407f77','grace@example.com','Grace Élan',NULL,1,0,'f254c6787ea84ec085eb0423499ce0bc',0,'2026-11-25 23:48:56.146427','2026-11-25 23:49:16.146427');
INSERT INTO "users" VALUES('0b05249b706346f2b0f50375d154794d','linus@example.com','Linus Élan',NULL,1,0,'f254c6787ea84ec085eb0423499ce0bc',0,'2026-11-25 23:48:58.146427','2026-11-25 23:49:16.146427');
INSERT INTO "users" VALUES('5b84403ebd5e45dcba311425034ce40b','gone@example.com','Gone Élan',NULL,1,0,'f254c6787ea84ec085eb0423499ce0bc',1,'2026-11-25 23:49:00.146427','2026-11-25 23:49:16.146427');
CREATE TABLE workspace_allowed_organizations (
	id CHAR(32) NOT NULL, 
	workspace_id CHAR(32) NOT NULL, 
	organization_id CHAR(32) NOT NULL, 
	CONSTRAINT pk_workspace_allowed_organizations PRIMARY KEY (id), 
	CONSTRAINT fk_workspace_allowed_organizations_organization_id FOREIGN KEY(organization_id) REFERENCES organizations (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_workspace_allowed_organizations_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE, 
	CONSTRAINT uq_workspace_allowed_organizations_workspace_id_organization_id UNIQUE (workspace_id, organization_id)
);
INSERT INTO "workspace_allowed_organizations" VALUES('68cac61a7b914f4793f9e7d8e8862dc6','a9a419640e324b758eeab6ad42a376f5','f254c6787ea84ec085eb0423499ce0bc');
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
INSERT INTO "workspace_memberships" VALUES('8e6bb74222c8479e9252b665f99ecb09','fea695fe18c549f09e21cb1305435d76','70f4684fa1304be4ae30872af3b46864','owner','2026-11-25 23:49:05.146427');
INSERT INTO "workspace_memberships" VALUES('d1c0f56acdb1447f96f6764f24be933b','a9a419640e324b758eeab6ad42a376f5','7ae34e15d6e8400bbcc44ffaac407f77','owner','2026-11-25 23:49:07.146427');
INSERT INTO "workspace_memberships" VALUES('8b87397edd1747c9b83513dbb7c366b6','fea695fe18c549f09e21cb1305435d76','7ae34e15d6e8400bbcc44ffaac407f77','admin','2026-11-25 23:49:08.146427');
INSERT INTO "workspace_memberships" VALUES('e0dec033f7b64760a3b6930a1343d11c','fea695fe18c549f09e21cb1305435d76','0b05249b706346f2b0f50375d154794d','viewer','2026-11-25 23:49:09.146427');
INSERT INTO "workspace_memberships" VALUES('2243049fccb346bf8fe2047c795a8583','fea695fe18c549f09e21cb1305435d76','5b84403ebd5e45dcba311425034ce40b','editor','2026-11-25 23:49:10.146427');
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
INSERT INTO "workspaces" VALUES('fea695fe18c549f09e21cb1305435d76','acme','Acme · Österreich',NULL,'70f4684fa1304be4ae30872af3b46864','2026-11-25 23:49:04.146427');
INSERT INTO "workspaces" VALUES('a9a419640e324b758eeab6ad42a376f5','elsewhere','Acme',NULL,'7ae34e15d6e8400bbcc44ffaac407f77','2026-11-25 23:49:06.146427');
CREATE UNIQUE INDEX uq_organizations_public ON organizations (is_public) WHERE is_public;
CREATE INDEX ix_revoked_tokens_expires_at ON revoked_tokens (expires_at);
CREATE INDEX ix_service_actions_service_name ON service_actions (service_name);
CREATE INDEX ix_organization_domains_organization_id ON organization_domains (organization_id);
CREATE INDEX ix_users_organization_id ON users (organization_id);
CREATE UNIQUE INDEX uq_users_lower_email ON users (lower(email));
CREATE INDEX ix_social_accounts_user_id ON social_accounts (user_id);
CREATE INDEX ix_action_usage_user_id ON action_usage (user_id);
CREATE INDEX ix_action_usage_workspace_id ON action_usage (workspace_id);
CREATE INDEX ix_authorization_codes_client_app_id ON authorization_codes (client_app_id);
CREATE INDEX ix_authorization_codes_expires_at ON authorization_codes (expires_at);
CREATE INDEX ix_authorization_codes_user_id ON authorization_codes (user_id);
CREATE INDEX ix_refresh_families_client_app_id ON refresh_families (client_app_id);
CREATE INDEX ix_refresh_families_user_id ON refresh_families (user_id);
CREATE INDEX ix_refresh_families_workspace_id ON refresh_families (workspace_id);
CREATE INDEX ix_resource_permissions_owner_id ON resource_permissions (owner_id);
CREATE INDEX ix_resource_permissions_reach ON resource_permissions (workspace_id, service_name, resource_type, created_at, id);
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
CREATE INDEX ix_user_roles_role_id ON user_roles (role_id);
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
COMMIT;
